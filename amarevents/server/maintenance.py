"""Periodic maintenance: purges expired idempotency records, expired confirmation links and old sent emails."""

import asyncio
import datetime
import logging

from tortoise.exceptions import BaseORMException

from amarevents.mail.outbox import purge_sent
from amarevents.models.columns import utc_now
from amarevents.models.db.connection import DatabaseUnavailable
from amarevents.resolvers.accounts.email_confirmation import purge_expired_links
from amarevents.resolvers.core.idempotency import purge_expired_records
from amarevents.security.services import Services

INTERVAL = datetime.timedelta(seconds=30)

logger = logging.getLogger(__name__)


async def run_maintenance(services: Services) -> None:
    """Run all maintenance tasks every ``INTERVAL`` until cancelled; a failed round is logged and tried again."""
    while True:
        await asyncio.sleep(INTERVAL.total_seconds())
        try:
            await services.key_usage.flush()
            await purge_expired_records(utc_now())
            await purge_expired_links(utc_now())
            await purge_sent(utc_now())
        except (BaseORMException, DatabaseUnavailable) as error:
            logger.warning("Maintenance failed, will retry: %s", error)
        except Exception:  # an exception would silently end the background task
            logger.exception("Maintenance failed, will retry")
