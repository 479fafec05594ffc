"""Infrastructure shared by processes: Redis, the cache, cached counts and pub/sub."""
