"""Tickets: registration, payments, check-in and donations, and the emails and subscriptions about them."""
