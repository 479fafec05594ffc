"""Mails: what they say, how they look, and the outbox from which they are sent."""
