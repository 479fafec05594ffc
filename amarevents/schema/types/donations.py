"""Donations: told by anybody, decided by owners and admins."""

import strawberry

from amarevents.resolvers.core.descriptions import public_text
from amarevents.resolvers.events.organizations import OrganizationView
from amarevents.resolvers.tickets import donations as operations
from amarevents.schema.core.context import Info
from amarevents.schema.core.dataloaders import require
from amarevents.schema.core.fields import link, mutation, query
from amarevents.schema.core.pagination import Pagination
from amarevents.schema.types.organizations import Organization


async def _organization(donation: operations.DonationView, info: Info) -> OrganizationView | None:
    if donation.organization_id is None:
        return None
    return await require(info.context.organizations, donation.organization_id, "Organization")


@strawberry.type(name="Donation", description=public_text(operations.DonationView.__doc__))
class Donation(operations.DonationView):
    organization = link(_organization, Organization | None, "Who it is to; null for one to the platform.")


@strawberry.type(description="A part of a list of donations.")
class DonationPage:
    items: list[Donation]
    """The objects on this page."""
    pagination: Pagination
    """The position of this page in the list."""


@strawberry.type
class DonationQuery:
    donations = query(operations.list_donations, DonationPage)
    admin_donations = query(operations.list_all_donations, DonationPage)


@strawberry.type
class DonationMutation:
    submit_donation = mutation(operations.submit_donation, Donation)
    update_donation = mutation(operations.update_donation, Donation)
    admin_update_donation = mutation(operations.admin_update_donation, Donation)
