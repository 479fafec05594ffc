"""What a process does now and then beside its requests."""

import asyncio
import datetime
import logging

from tortoise.exceptions import BaseORMException

from amarevents.mail.outbox import purge_sent
from amarevents.models.columns import utc_now
from amarevents.models.db.connection import DatabaseUnavailable
from amarevents.resolvers.accounts.email_confirmation import forget_expired_links
from amarevents.resolvers.core.idempotency import purge_expired_records
from amarevents.security.services import Services

INTERVAL = datetime.timedelta(seconds=30)

logger = logging.getLogger(__name__)


async def run_maintenance(services: Services) -> None:
    """Every ``INTERVAL``, until cancelled. A database that is away costs one round, not the service."""
    while True:
        await asyncio.sleep(INTERVAL.total_seconds())
        try:
            await services.key_usage.flush()
            await purge_expired_records(utc_now())
            await forget_expired_links(utc_now())
            await purge_sent(utc_now())
        except (BaseORMException, DatabaseUnavailable) as error:
            logger.warning("Upkeep has to wait: %s", error)
        except Exception:  # nobody would notice that the task has ended
            logger.exception("Upkeep has to wait")
