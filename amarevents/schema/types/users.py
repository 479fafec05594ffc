"""Accounts with what belongs to them: the caller's own profile, and every account for admins."""

import strawberry

from amarevents.resolvers.accounts import profiles
from amarevents.resolvers.accounts import users as operations
from amarevents.resolvers.accounts.api_keys import ApiKeyView
from amarevents.resolvers.accounts.profiles import OwnedOrganizationView
from amarevents.schema.core.deletions import Deleted
from amarevents.schema.core.fields import mutation, query
from amarevents.schema.core.object_types import object_type
from amarevents.schema.core.pagination import Page
from amarevents.schema.types.accounts import Account, WithApiKeys, WithTickets
from amarevents.schema.types.api_keys import ApiKey
from amarevents.schema.types.organizations import OrganizationEdges


@object_type
class OwnedOrganization(OrganizationEdges, OwnedOrganizationView):
    pass


@object_type
class ProfileStats(profiles.ProfileStatsView):
    pass


@object_type
class Profile(WithTickets, WithApiKeys, profiles.ProfileView):
    organization: OwnedOrganization | None
    organizations: list[OwnedOrganizationView] = strawberry.field(graphql_type=list[OwnedOrganization])
    stats: ProfileStats


@object_type
class User(WithTickets, operations.UserView):
    organization: OwnedOrganization | None
    organizations: list[OwnedOrganizationView] = strawberry.field(graphql_type=list[OwnedOrganization])
    api_keys: list[ApiKeyView] = strawberry.field(graphql_type=list[ApiKey])


@strawberry.type
class UserQuery:
    my_profile = query(profiles.get_profile, Profile)
    users = query(operations.list_users, Page[Account])
    user = query(operations.get_user, User)


@strawberry.type
class UserMutation:
    update_me = mutation(profiles.update_profile, Profile)
    update_user = mutation(operations.update_user, User)
    delete_user = mutation(operations.delete_user, Deleted)
