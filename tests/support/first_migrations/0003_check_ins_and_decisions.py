# ruff: noqa: N999 - named like the migration
from importlib import import_module

Migration = import_module("amarevents.models.migrations.0003_check_ins_and_decisions").Migration
