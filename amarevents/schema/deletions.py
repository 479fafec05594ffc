"""What a deletion answers."""

import strawberry

from amarevents.resolvers import base


@strawberry.type(name="Deleted", description=base.public_text(base.DeletedView.__doc__))
class Deleted(base.DeletedView):
    pass
