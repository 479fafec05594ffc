"""The OpenAPI 3.1 document: generated from the routes, their operations, inputs, views and errors."""
