"""The sizes of tests with random input and long walks: small in an ordinary run, large with ``--deep``."""

is_deep = False
"""Set once, from the command line, before any test is imported."""


def sized(usual: int, *, deep: int) -> int:
    """Return the number of rounds for this run."""
    return deep if is_deep else usual
