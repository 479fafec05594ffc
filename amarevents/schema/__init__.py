"""The GraphQL API: Strawberry types made of the views, whose fields call the operations of the service layer."""
