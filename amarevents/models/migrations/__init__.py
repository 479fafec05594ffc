"""The steps of the schema, in the order of their numbers; ``amarevents.models.migrating`` applies them."""
