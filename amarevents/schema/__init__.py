"""The GraphQL surface: Strawberry types over the views, calling the operations and holding no rule of their own."""
