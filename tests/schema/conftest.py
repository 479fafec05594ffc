"""The people and the event that most tests of the API begin with, for this package too."""

from tests.rest.conftest import stage

__all__ = ["stage"]
