"""Accounts: registering, logging in and out, and who one is."""

import strawberry

from amarevents.resolvers import accounts as operations
from amarevents.resolvers.base import public_text
from amarevents.schema.fields import mutation, query


@strawberry.type(name="Account", description=public_text(operations.AccountView.__doc__))
class Account(operations.AccountView):
    pass


@strawberry.type(name="Auth", description=public_text(operations.AuthView.__doc__))
class Auth(operations.AuthView):
    pass


@strawberry.type(name="Identity", description=public_text(operations.IdentityView.__doc__))
class Identity(operations.IdentityView):
    auth: Auth


@strawberry.type(name="Logout", description="The session has ended.")
class Logout(operations.LogoutView):
    pass


@strawberry.type
class AccountQuery:
    me = query(operations.me, Identity)


@strawberry.type
class AccountMutation:
    register = mutation(operations.register, Account)
    login = mutation(operations.login, Account)
    logout = mutation(operations.logout, Logout)
