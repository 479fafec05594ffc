"""From an account's row to the account as policies see it."""

from amarevents.models import User
from amarevents.security.policy import Account


def account_of(user: User) -> Account:
    """The account as policies see it."""
    return Account(
        id=user.id,
        username=user.username,
        email=user.email,
        number=user.number,
        type=user.type,
        admin=user.admin,
        email_confirmed=user.email_confirmed_at is not None,
    )
