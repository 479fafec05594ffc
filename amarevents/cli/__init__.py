"""The command line, one module per group of commands; ``main`` declares the commands."""
