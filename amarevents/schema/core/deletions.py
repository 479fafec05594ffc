"""What a deletion answers."""

import strawberry

from amarevents.resolvers.core import inputs
from amarevents.resolvers.core.descriptions import public_text


@strawberry.type(name="Deleted", description=public_text(inputs.DeletedView.__doc__))
class Deleted(inputs.DeletedView):
    pass
