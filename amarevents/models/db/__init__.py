"""The database connection, its engines and the migration runner."""
