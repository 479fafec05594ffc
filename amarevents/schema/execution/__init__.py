"""The execution of documents: validation, limits, cost, and the executor."""
