"""Fixtures of the tests of ``web``."""

from tests.rest.conftest import stage  # noqa: F401 - the fixture, for this package too
