"""Accounts: signing up, logging in, profiles, API keys, and the administration of all accounts."""
