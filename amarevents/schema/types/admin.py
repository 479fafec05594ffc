"""What only admins have: everybody's events and keys, plans, and rate limits."""

import strawberry

from amarevents.resolvers.accounts import admin_api_keys, rate_limits
from amarevents.resolvers.core.descriptions import public_text
from amarevents.resolvers.events import plans, queries
from amarevents.resolvers.tickets.outbox import OutgoingMailView, list_outgoing_mails
from amarevents.resolvers.tickets.queries import TicketView, get_ticket
from amarevents.schema.core.context import Info
from amarevents.schema.core.dataloaders import require
from amarevents.schema.core.deletions import Deleted
from amarevents.schema.core.fields import link, mutation, query
from amarevents.schema.core.pagination import Pagination
from amarevents.schema.core.scalars import JSON
from amarevents.schema.types.accounts import account_edge, user_id_of
from amarevents.schema.types.api_keys import Revocation
from amarevents.schema.types.events import EventPage
from amarevents.schema.types.tickets import Ticket


@strawberry.type(name="AccountApiKey", description=public_text(admin_api_keys.AccountApiKeyView.__doc__))
class AccountApiKey(admin_api_keys.AccountApiKeyView):
    owner = account_edge(user_id_of, "The account whose key it is.")


@strawberry.type(description="A part of the list of all keys.")
class AccountApiKeyPage:
    items: list[AccountApiKey]
    """The objects on this page."""
    pagination: Pagination
    """The position of this page in the list."""


@strawberry.type(name="Plan", description=public_text(plans.PlanView.__doc__))
class Plan(plans.PlanView):
    features: JSON  # type: ignore[assignment] # the same, as the schema shows it


@strawberry.type(name="RateLimit", description=public_text(rate_limits.RateLimitView.__doc__))
class RateLimit(rate_limits.RateLimitView):
    owner = account_edge(user_id_of, "The account whose key it is.")


@strawberry.type
class AdministrationQuery:
    admin_events = query(queries.list_all_events, EventPage)
    admin_api_keys = query(admin_api_keys.list_all_api_keys, AccountApiKeyPage)
    plans = query(plans.list_plans, list[Plan])
    rate_limits = query(rate_limits.list_rate_limits, list[RateLimit])


@strawberry.type
class AdministrationMutation:
    create_plan = mutation(plans.create_plan, Plan)
    update_plan = mutation(plans.update_plan, Plan)
    delete_plan = mutation(plans.delete_plan, Deleted)
    force_revoke_api_key = mutation(admin_api_keys.force_revoke_api_key, Revocation)


async def _ticket(mail: OutgoingMailView, info: Info) -> TicketView | None:
    return None if mail.ticket_id is None else await require(info.context.tickets, mail.ticket_id, "Ticket")


@strawberry.type(name="OutgoingMail", description=public_text(OutgoingMailView.__doc__))
class OutgoingMail(OutgoingMailView):
    ticket = link(_ticket, Ticket | None, "The ticket that it is about.", as_in=get_ticket)
    user = account_edge(user_id_of, "The account that it is about.")


@strawberry.type(description="A part of the outbox.")
class OutgoingMailPage:
    items: list[OutgoingMail]
    """The objects on this page."""
    pagination: Pagination
    """The position of this page in the list."""


@strawberry.type
class MailQuery:
    outbox = query(list_outgoing_mails, OutgoingMailPage)
