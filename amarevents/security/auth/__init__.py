"""Authentication: API keys, sessions, passwords, and protection from cross-site request forgery."""
