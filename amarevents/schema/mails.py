"""The outbox, for admins."""

import strawberry

from amarevents.resolvers import mails as operations
from amarevents.resolvers.base import public_text
from amarevents.schema.fields import query
from amarevents.schema.paging import Pagination


@strawberry.type(name="OutgoingMail", description=public_text(operations.OutgoingMailView.__doc__))
class OutgoingMail(operations.OutgoingMailView):
    pass


@strawberry.type(description="A part of the outbox.")
class OutgoingMailPage:
    items: list[OutgoingMail]
    pagination: Pagination


@strawberry.type
class MailQuery:
    outbox = query(operations.list_outgoing_mails, OutgoingMailPage)
