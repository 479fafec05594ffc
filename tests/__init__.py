"""Tests of Amar Events, in the folders of the code that they test, and their helpers in ``support``."""

import pkgutil

import pytest

# Failed assertions in helpers show values, as those in tests do.
pytest.register_assert_rewrite(*(f"{__name__}.{module.name}" for module in pkgutil.iter_modules(__path__)))
