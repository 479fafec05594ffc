"""What every paged list carries beside its items."""

import strawberry

from amarevents.resolvers import base


@strawberry.type(name="Pagination", description="Where a page stands in its list.")
class Pagination(base.Pagination):
    pass
