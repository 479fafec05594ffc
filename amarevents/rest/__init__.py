"""The REST surface: the contract's routes, one line each, calling the operations and holding no rule of their own."""
