"""The types, queries and mutations of the GraphQL schema, one module for each noun."""
