"""Donations: told by anybody, decided by owners and admins."""

import strawberry

from amarevents.resolvers import donations as operations
from amarevents.resolvers.base import public_text
from amarevents.schema.fields import mutation, query
from amarevents.schema.paging import Pagination


@strawberry.type(name="Donation", description=public_text(operations.DonationView.__doc__))
class Donation(operations.DonationView):
    pass


@strawberry.type(description="A part of a list of donations.")
class DonationPage:
    items: list[Donation]
    pagination: Pagination


@strawberry.type
class DonationQuery:
    donations = query(operations.list_donations, DonationPage)
    admin_donations = query(operations.list_all_donations, DonationPage)


@strawberry.type
class DonationMutation:
    submit_donation = mutation(operations.submit_donation, Donation)
    update_donation = mutation(operations.update_donation, Donation)
    admin_update_donation = mutation(operations.admin_update_donation, Donation)
