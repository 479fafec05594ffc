"""Fixtures shared with the tests of the REST API."""

from tests.rest.conftest import cache_totals, stage

__all__ = ["cache_totals", "stage"]
