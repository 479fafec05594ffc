"""The steps of the schema, in the order of their numbers; ``amarevents.models.db.migrate`` applies them."""
