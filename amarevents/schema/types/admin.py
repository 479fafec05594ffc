"""What only admins see: all events and API keys, plans, rate limits, and the outbox."""

from typing import Any

import strawberry

from amarevents.resolvers.accounts import admin_api_keys, rate_limits
from amarevents.resolvers.events import plans, queries
from amarevents.resolvers.tickets.outbox import OutgoingMailView, list_outgoing_mails, load_outgoing_mails
from amarevents.resolvers.tickets.queries import get_ticket, load_tickets
from amarevents.schema.core.deletions import Deleted
from amarevents.schema.core.edges import Batch, edge, not_found
from amarevents.schema.core.fields import mutation, query
from amarevents.schema.core.nodes import Node, node_type, one_of
from amarevents.schema.core.object_types import object_type
from amarevents.schema.core.pagination import Page
from amarevents.schema.core.scalars import JSON
from amarevents.schema.types.account_edges import account_edge
from amarevents.schema.types.api_keys import ApiKey, Revocation
from amarevents.schema.types.events import Event
from amarevents.schema.types.tickets import Ticket


@node_type(plans.load_plans_by_id, require_access=one_of(plans.list_plans.policy))
@object_type
class Plan(Node, plans.PlanView):
    features: dict[str, Any] = strawberry.field(graphql_type=JSON)  # Any: of the admins' making


@object_type
class RateLimit(rate_limits.RateLimitView):
    owner = account_edge("user_id", "The account that owns the API key.")


@strawberry.type
class AdminQuery:
    admin_events = query(queries.list_all_events, Page[Event])
    admin_api_keys = query(admin_api_keys.list_all_api_keys, Page[ApiKey])
    plans = query(plans.list_plans, list[Plan])
    rate_limits = query(rate_limits.list_rate_limits, list[RateLimit])


@strawberry.type
class AdminMutation:
    create_plan = mutation(plans.create_plan, Plan)
    update_plan = mutation(plans.update_plan, Plan)
    delete_plan = mutation(plans.delete_plan, Deleted)
    force_revoke_api_key = mutation(admin_api_keys.force_revoke_api_key, Revocation)


@node_type(load_outgoing_mails, require_access=one_of(list_outgoing_mails.policy))
@object_type
class OutgoingMail(Node, OutgoingMailView):
    ticket = edge(
        Batch(load=load_tickets, key="ticket_id", missing=not_found("Ticket")),
        Ticket | None,
        "The ticket that the email is about.",
        policy_of=get_ticket,
    )
    user = account_edge("user_id", "The account that the email is about.")


@strawberry.type
class MailQuery:
    outbox = query(list_outgoing_mails, Page[OutgoingMail])
