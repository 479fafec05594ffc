"""The result of a deletion."""

from amarevents.resolvers.core import inputs
from amarevents.schema.core.object_types import object_type


@object_type
class Deleted(inputs.DeletedView):
    pass
