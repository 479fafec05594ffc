"""What most tests of the API begin with, for this package too."""

from tests.rest.conftest import remember, stage

__all__ = ["remember", "stage"]
