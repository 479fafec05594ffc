"""The accounts of the keys that were used recently, by which both are charged at once, before any look-up."""

from collections import OrderedDict

_MAX_KEYS = 10_000


class KeyAccounts:
    """The account ID of each key by the key's digest: it never changes, but a key may be revoked or deleted."""

    def __init__(self) -> None:
        self._accounts: OrderedDict[str, int] = OrderedDict()

    def find(self, digest: str) -> int | None:
        """Return the ID of the key's account if the key was used recently."""
        return self._accounts.get(digest)

    def remember(self, digest: str, account_id: int) -> None:
        """Remember the account of a key that has been looked up; beyond a maximum, the oldest one is forgotten."""
        self._accounts[digest] = account_id
        self._accounts.move_to_end(digest)
        if len(self._accounts) > _MAX_KEYS:
            self._accounts.popitem(last=False)

    def forget(self, digest: str) -> None:
        """Forget a key that is no longer valid, so that its account is not charged for it."""
        self._accounts.pop(digest, None)
