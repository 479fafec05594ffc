"""Tortoise's database clients, hardened: no cancellation leaves a connection, a lock or a transaction behind."""
