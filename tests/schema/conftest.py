"""Fixtures shared with the tests of the REST API."""

from tests.rest.conftest import remember, stage

__all__ = ["remember", "stage"]
