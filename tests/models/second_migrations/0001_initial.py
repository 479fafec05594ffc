# ruff: noqa: N999 - migrations are named by number
from importlib import import_module

Migration = import_module("amarevents.models.migrations.0001_initial").Migration
