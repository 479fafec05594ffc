"""Registration, sessions and the caller's own account."""

import strawberry

from amarevents.resolvers.accounts import auth as operations
from amarevents.resolvers.accounts import signup
from amarevents.schema.core.fields import mutation, query
from amarevents.schema.core.object_types import object_type
from amarevents.schema.types.users import User


@object_type
class Logout(operations.LogoutView):
    pass


@strawberry.type
class AccountQuery:
    me = query(operations.me, User)


@strawberry.type
class AccountMutation:
    register = mutation(signup.register, User)
    login = mutation(operations.login, User)
    logout = mutation(operations.logout, Logout)
