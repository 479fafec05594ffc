# ruff: noqa: N999 - named like the migration
from importlib import import_module

Migration = import_module("amarevents.models.migrations.0002_mail_and_lists").Migration
