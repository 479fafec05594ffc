"""Email: templates, rendering, the outbox, and the worker that sends from it."""
