"""Log format and log levels."""

import logging

from amarevents.settings import Settings


def configure_logging(settings: Settings) -> None:
    """Configure the same format for all log lines, and keep secrets out of the log at every level."""
    logging.basicConfig(
        level=settings.log_level.upper(),
        format="%(asctime)s %(levelname)s [%(process)d] %(name)s: %(message)s",
        force=True,
    )
    # At debug level, these loggers write the values of all statements, including password hashes and email bodies.
    for name in ("tortoise", "aiosqlite"):
        logging.getLogger(name).setLevel(logging.INFO)
    # This logger writes a traceback for each retry while the database is unavailable; each request logs that already.
    logging.getLogger("asyncpg.pool").setLevel(logging.ERROR)
