"""GraphiQL at ``/graphql``: the schema's documentation, and operations to run; asks no other origin."""
