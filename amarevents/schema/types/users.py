"""Accounts as their owners and admins see them, with what belongs to them."""

import strawberry

from amarevents.resolvers.accounts import profiles
from amarevents.resolvers.accounts import users as operations
from amarevents.resolvers.core.descriptions import public_text
from amarevents.schema.core.deletions import Deleted
from amarevents.schema.core.fields import mutation, query
from amarevents.schema.core.pagination import Pagination
from amarevents.schema.types.accounts import Account, WithApiKeys, WithTickets
from amarevents.schema.types.api_keys import ApiKey
from amarevents.schema.types.organizations import OrganizationEdges


@strawberry.type(name="OwnedOrganization", description=public_text(profiles.OwnedOrganizationView.__doc__))
class OwnedOrganization(OrganizationEdges, profiles.OwnedOrganizationView):
    pass


@strawberry.type(name="ProfileStats", description=public_text(profiles.ProfileStatsView.__doc__))
class ProfileStats(profiles.ProfileStatsView):
    pass


@strawberry.type(name="Profile", description=public_text(profiles.ProfileView.__doc__))
class Profile(WithTickets, WithApiKeys, profiles.ProfileView):
    organization: OwnedOrganization | None
    organizations: list[OwnedOrganization]  # type: ignore[assignment] # the same, as the schema shows it
    stats: ProfileStats


@strawberry.type(name="User", description=public_text(operations.UserView.__doc__))
class User(WithTickets, operations.UserView):
    organization: OwnedOrganization | None
    organizations: list[OwnedOrganization]  # type: ignore[assignment] # the same, as the schema shows it
    api_keys: list[ApiKey]  # type: ignore[assignment] # the same, as the schema shows it


@strawberry.type(description="A part of the list of accounts.")
class AccountPage:
    items: list[Account]
    """The objects on this page."""
    pagination: Pagination
    """The position of this page in the list."""


@strawberry.type
class UserQuery:
    my_profile = query(profiles.get_profile, Profile)
    users = query(operations.list_users, AccountPage)
    user = query(operations.get_user, User)


@strawberry.type
class UserMutation:
    update_me = mutation(profiles.update_profile, Profile)
    update_user = mutation(operations.update_user, User)
    delete_user = mutation(operations.delete_user, Deleted)
