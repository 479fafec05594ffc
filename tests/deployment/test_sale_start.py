"""The start of a sale in four processes with short queues: a place that is refused for now is sold later (6.2)."""

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import aiohttp
import asyncpg
import pytest

from tests.support.platforms import Deployment, new_user_key, put_on_sale
from tests.support.sizes import sized

PLACES = sized(100, deep=1_000)
ATTEMPTS = sized(1_000, deep=10_000)
ACCOUNTS = 5
CROWD = 400
QUEUE = 20
"""Far fewer than the members of the crowd for each process."""


@dataclass
class Sale:
    """The requests of a crowd for one event, and what they were answered."""

    session: aiohttp.ClientSession
    event_id: int
    statuses: Counter[int] = field(default_factory=Counter)
    tickets: list[int] = field(default_factory=list)

    async def attempt(self, keys: Iterator[str]) -> None:
        """Register with each of the keys, again and again while the process is overloaded, when it says."""
        for key in keys:
            while (retry_after := await self._register(key)) is not None:
                assert retry_after >= 1
                await asyncio.sleep(retry_after)

    async def _register(self, key: str) -> int | None:
        headers = {"Authorization": f"Bearer {key}"}
        async with self.session.post("/api/tickets", json={"event_id": self.event_id}, headers=headers) as response:
            self.statuses[response.status] += 1
            answer = await response.json()
            if response.status == 201:
                self.tickets.append(answer["data"]["id"])
            elif response.status == 400:
                assert answer["code"] == "SOLD_OUT"
            return int(response.headers["Retry-After"]) if response.status == 503 else None


BOOKS = """
SELECT sold, (SELECT array_agg(id ORDER BY id) FROM tickets WHERE ticket_type_id = ticket_types.id),
    (SELECT array_agg(ticket_id ORDER BY ticket_id) FROM outgoing_mails JOIN tickets ON tickets.id = ticket_id
     WHERE ticket_type_id = ticket_types.id AND body LIKE '%: ' || tickets.id || '%')
FROM ticket_types WHERE event_id = $1
"""
"""The places sold, the tickets, and the tickets with an email that has their number."""


@pytest.mark.backend("postgres")
async def test_a_crowd_gets_every_place_once_though_queues_are_full(
    shared_deployment: Deployment, admin_key: str, new_name: Callable[[], str]
) -> None:
    with shared_deployment.serving(workers=4, registration_queue=str(QUEUE)) as platform:
        async with platform.client() as client, platform.client(admin_key) as admin:
            event_id = (await put_on_sale(admin, capacity=PLACES)).event_id
            keys = [await new_user_key(client, new_name()) for _ in range(ACCOUNTS)]
        async with aiohttp.ClientSession(platform.url, connector=aiohttp.TCPConnector(limit=CROWD)) as session:
            sale, attempts = Sale(session, event_id), itertools.islice(itertools.cycle(keys), ATTEMPTS)
            await asyncio.gather(*(sale.attempt(attempts) for _ in range(CROWD)))
    assert sale.statuses.keys() == {201, 400, 503}
    assert (sale.statuses[201], sale.statuses[400]) == (PLACES, ATTEMPTS - PLACES)
    connection = await asyncpg.connect(shared_deployment.database_url)
    [(sold, tickets, with_email)] = await connection.fetch(BOOKS, event_id)
    await connection.close()
    assert sold == PLACES
    assert tickets == with_email == sorted(sale.tickets)
