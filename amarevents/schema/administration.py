"""What only admins have: everybody's events and keys, plans, and rate limits."""

import strawberry

from amarevents.resolvers import all_api_keys, events, plans, rate_limits
from amarevents.resolvers.base import public_text
from amarevents.schema.accounts import account_edge, user_id_of
from amarevents.schema.api_keys import Revocation
from amarevents.schema.deletions import Deleted
from amarevents.schema.events import EventPage
from amarevents.schema.fields import mutation, query
from amarevents.schema.paging import Pagination
from amarevents.schema.scalars import JSON


@strawberry.type(name="AccountApiKey", description=public_text(all_api_keys.AccountApiKeyView.__doc__))
class AccountApiKey(all_api_keys.AccountApiKeyView):
    owner = account_edge(user_id_of, "The account whose key it is.")


@strawberry.type(description="A part of the list of all keys.")
class AccountApiKeyPage:
    items: list[AccountApiKey]
    pagination: Pagination


@strawberry.type(name="Plan", description=public_text(plans.PlanView.__doc__))
class Plan(plans.PlanView):
    features: JSON  # type: ignore[assignment] # the same, as the schema shows it


@strawberry.type(name="RateLimit", description=public_text(rate_limits.RateLimitView.__doc__))
class RateLimit(rate_limits.RateLimitView):
    owner = account_edge(user_id_of, "The account whose key it is.")


@strawberry.type
class AdministrationQuery:
    admin_events = query(events.list_all_events, EventPage)
    admin_api_keys = query(all_api_keys.list_all_api_keys, AccountApiKeyPage)
    plans = query(plans.list_plans, list[Plan])
    rate_limits = query(rate_limits.list_rate_limits, list[RateLimit])


@strawberry.type
class AdministrationMutation:
    create_plan = mutation(plans.create_plan, Plan)
    update_plan = mutation(plans.update_plan, Plan)
    delete_plan = mutation(plans.delete_plan, Deleted)
    force_revoke_api_key = mutation(all_api_keys.force_revoke_api_key, Revocation)
