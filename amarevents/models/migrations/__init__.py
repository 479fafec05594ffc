"""Migrations of the schema, applied in the order of their numbers by ``amarevents.models.db.migrate``."""
