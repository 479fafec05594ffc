"""Donations to organizations and to the platform."""

import strawberry

from amarevents.resolvers.events.organizations import load_organizations
from amarevents.resolvers.tickets import donations as operations
from amarevents.schema.core.edges import Batch, edge, not_found
from amarevents.schema.core.fields import mutation, query
from amarevents.schema.core.nodes import Node, node_type, one_of
from amarevents.schema.core.object_types import object_type
from amarevents.schema.core.pagination import Page
from amarevents.schema.types.organizations import Organization


@node_type(
    operations.load_donations,
    require_access=one_of(operations.list_donations.policy, operations.list_all_donations.policy),
)
@object_type
class Donation(Node, operations.DonationView):
    organization = edge(
        Batch(load=load_organizations, key="organization_id", missing=not_found("Organization")),
        Organization | None,
        "The organization that receives the donation; null for a donation to the platform.",
    )


@strawberry.type
class DonationQuery:
    donations = query(operations.list_donations, Page[Donation])
    admin_donations = query(operations.list_all_donations, Page[Donation])


@strawberry.type
class DonationMutation:
    submit_donation = mutation(operations.submit_donation, Donation)
    update_donation = mutation(operations.update_donation, Donation)
    admin_update_donation = mutation(operations.admin_update_donation, Donation)
