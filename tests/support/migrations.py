"""The names of the migrations in a package, and of those of the project."""

import pkgutil
from importlib import import_module

from amarevents.models.db.connection import MIGRATIONS


def migrations_in(package: str) -> list[str]:
    """Return the names of the migrations in ``package`` in order."""
    return sorted(name for _, name, _ in pkgutil.iter_modules(import_module(package).__path__) if name[0].isdigit())


MIGRATION_NAMES = migrations_in(MIGRATIONS)
