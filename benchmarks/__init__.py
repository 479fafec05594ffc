"""Benchmarks: measurements of the platform against hand-written handlers, and of its GraphQL engine."""
