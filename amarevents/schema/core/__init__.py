"""The machinery of the GraphQL schema: fields, inputs and edges made of operations and views, data loaders, errors."""
