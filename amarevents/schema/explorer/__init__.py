"""GraphiQL at ``/graphql``, with the documentation of the schema and example operations.

The page makes no requests to other origins.
"""
