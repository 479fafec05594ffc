"""Amar Events: an event platform with one set of rules behind REST and GraphQL."""

__version__ = "0.1.0"
