"""The machinery of the service layer: operations, inputs, pagination, permissions on rows, idempotency and locking."""
