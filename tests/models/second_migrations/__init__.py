"""The project's migrations, and one more that rebuilds tables on SQLite in every way that there is."""
