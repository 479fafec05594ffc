"""Simultaneous check-ins in several processes: a ticket is admitted once."""

import asyncio
from collections import Counter

import aiohttp
import pytest

from tests.support.platforms import Deployment, put_on_sale

SCANS = 50
SCAN = "mutation($code: String!, $gate: String) { checkInTicket(code: $code, gate: $gate) { outcome } }"


async def _scan(session: aiohttp.ClientSession, code: str, gate: str) -> str:
    body = {"query": SCAN, "variables": {"code": code, "gate": gate}}
    async with session.post("/graphql", json=body) as response:
        answer = await response.json()
        return str(answer["data"]["checkInTicket"]["outcome"])


@pytest.mark.backend("postgres")
async def test_one_of_fifty_simultaneous_scans_is_admitted(shared_deployment: Deployment, admin_key: str) -> None:
    with shared_deployment.serving(workers=2) as platform:
        async with platform.client(admin_key) as admin:
            sale = await put_on_sale(admin, capacity=4)
            sold = [await admin.post("/api/tickets", json={"event_id": sale.event_id}) for _ in range(4)]
        codes = [ticket.json()["data"]["code"] for ticket in sold]
        headers = {"Authorization": f"Bearer {admin_key}"}
        async with aiohttp.ClientSession(platform.url, headers=headers) as session:
            for code in codes:
                scans = (_scan(session, code, f"Gate {number % 2}") for number in range(SCANS))
                assert Counter(await asyncio.gather(*scans)) == {"ADMITTED": 1, "ALREADY_CHECKED_IN": SCANS - 1}
