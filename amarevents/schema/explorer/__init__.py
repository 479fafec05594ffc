"""GraphiQL at ``/graphql``, with the documentation of the schema and prepared operations.

The page makes no requests to other origins.
"""
