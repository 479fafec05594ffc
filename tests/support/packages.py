"""Packages of migrations: the project's own, and those of tests that hold fewer or more."""

import pkgutil
from importlib import import_module

from amarevents.models.db.connection import MIGRATIONS


def migrations_in(package: str) -> list[str]:
    """The names of the migrations in ``package``, in their order."""
    return sorted(name for _, name, _ in pkgutil.iter_modules(import_module(package).__path__) if name[0].isdigit())


PROJECT = migrations_in(MIGRATIONS)
