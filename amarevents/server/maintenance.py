"""Periodic maintenance: ends the holds of unpaid tickets, and purges expired records, expired links and old emails."""

import asyncio
import datetime
import logging
from collections.abc import Awaitable, Callable

from tortoise.exceptions import BaseORMException

from amarevents.mail.outbox import purge_sent
from amarevents.models.columns import utc_now
from amarevents.models.db.connection import DatabaseUnavailable
from amarevents.resolvers.accounts.email_confirmation import purge_expired_links
from amarevents.resolvers.accounts.password_reset import purge_expired_resets
from amarevents.resolvers.core.idempotency import purge_expired_records
from amarevents.resolvers.tickets.holds import end_overdue_holds
from amarevents.security.services import Services

INTERVAL = datetime.timedelta(seconds=30)
HOLDS_INTERVAL = datetime.timedelta(seconds=5)
"""The time for which an overdue hold is counted at most, unless a registration needs its place before."""

logger = logging.getLogger(__name__)


async def run_maintenance(services: Services) -> None:
    """Run all maintenance tasks again and again until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_repeat(lambda: _purge(services), INTERVAL))
        tasks.create_task(_repeat(lambda: end_overdue_holds(services, utc_now()), HOLDS_INTERVAL))


async def _repeat(work: Callable[[], Awaitable[None]], interval: datetime.timedelta) -> None:
    """Run a round after each interval; a failed round is logged and tried again."""
    while True:
        await asyncio.sleep(interval.total_seconds())
        try:
            await work()
        except (BaseORMException, DatabaseUnavailable) as error:
            logger.warning("Maintenance failed, will retry: %s", error)
        except Exception:  # an exception would silently end the background task
            logger.exception("Maintenance failed, will retry")


async def _purge(services: Services) -> None:
    await services.key_usage.flush()
    await purge_expired_records(utc_now())
    await purge_expired_links(utc_now())
    await purge_expired_resets(utc_now())
    await purge_sent(utc_now())
