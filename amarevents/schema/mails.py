"""The outbox, for admins."""

import strawberry

from amarevents.resolvers import mails as operations
from amarevents.resolvers.base import public_text
from amarevents.resolvers.tickets import TicketView, get_ticket
from amarevents.schema.accounts import account_edge, user_id_of
from amarevents.schema.context import Info, require
from amarevents.schema.fields import link, query
from amarevents.schema.paging import Pagination
from amarevents.schema.tickets import Ticket


async def _ticket(mail: operations.OutgoingMailView, info: Info) -> TicketView | None:
    return None if mail.ticket_id is None else await require(info.context.tickets, mail.ticket_id, "Ticket")


@strawberry.type(name="OutgoingMail", description=public_text(operations.OutgoingMailView.__doc__))
class OutgoingMail(operations.OutgoingMailView):
    ticket = link(_ticket, Ticket | None, "The ticket that it is about.", as_in=get_ticket)
    user = account_edge(user_id_of, "The account that it is about.")


@strawberry.type(description="A part of the outbox.")
class OutgoingMailPage:
    items: list[OutgoingMail]
    pagination: Pagination


@strawberry.type
class MailQuery:
    outbox = query(operations.list_outgoing_mails, OutgoingMailPage)
