"""Fixtures shared with the tests of subscriptions."""

from tests.schema.subscriptions.conftest import address, scene

__all__ = ["address", "scene"]
