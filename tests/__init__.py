"""The tests, and the helpers that they share."""

import pkgutil

import pytest

# Helpers show the values of a failed assertion, as tests do.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)))
