"""Authentication, authorization policies, rate limits and the middleware that applies them."""
