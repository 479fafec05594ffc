"""The format and levels of the log."""

import logging

from amarevents.settings import Settings


def configure_logging(settings: Settings) -> None:
    """One form for every line of every process, and no secrets at any level."""
    logging.basicConfig(
        level=settings.log_level.upper(),
        format="%(asctime)s %(levelname)s [%(process)d] %(name)s: %(message)s",
        force=True,
    )
    # At debug they log the values of every statement, hashes of passwords and texts of mails among them.
    for name in ("tortoise", "aiosqlite"):
        logging.getLogger(name).setLevel(logging.INFO)
    # Its retries, with tracebacks, while the database is away: each request's own line says so already.
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)
