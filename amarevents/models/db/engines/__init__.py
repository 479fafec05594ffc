"""Tortoise's database clients, made safe for cancellation: none leaves a connection, lock or transaction behind."""
