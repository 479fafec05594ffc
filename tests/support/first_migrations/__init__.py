"""The migrations up to the one that normalizes text, to make databases of the schema before it."""
