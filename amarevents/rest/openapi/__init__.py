"""The OpenAPI 3.1 document, generated from routes, operations, inputs, views and errors."""
