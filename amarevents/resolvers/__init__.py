"""The service layer: all operations of the platform, with their inputs and views, independent of REST and GraphQL."""
