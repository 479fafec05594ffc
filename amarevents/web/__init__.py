"""Shared parts of the HTML pages: templates, static files and content negotiation."""
