"""Holds of unpaid tickets that end in several processes (decisions 6.2a)."""

import asyncio
import re

import asyncpg
import pytest

from tests.support.mail_server import SENDER, start_mail_server
from tests.support.platforms import Deployment, put_on_sale

REGISTRATIONS = 30


async def _make_overdue(deployment: Deployment, event_id: int) -> None:
    connection = await asyncpg.connect(deployment.database_url)
    await connection.execute("UPDATE tickets SET hold_expires_at = now() WHERE event_id = $1", event_id)
    await connection.close()


@pytest.mark.backend("postgres")
async def test_four_processes_end_each_hold_once(shared_deployment: Deployment, admin_key: str) -> None:
    """And a registration gets one of the places before or after them."""
    async with start_mail_server() as mail_server:
        with shared_deployment.serving(
            workers=4, smtp_url=mail_server.url, mail_from=SENDER, confirm_email="false"
        ) as platform:
            async with platform.client(admin_key) as admin:
                sale = await put_on_sale(admin, capacity=REGISTRATIONS)
                body = {"event_id": sale.event_id, "amount": 500}
                requests = [admin.post("/api/tickets", json=body) for _ in range(REGISTRATIONS)]
                unpaid = [answer.json()["data"] for answer in await asyncio.gather(*requests)]
                assert {ticket["status"] for ticket in unpaid} == {"Pending"}
                await _make_overdue(shared_deployment, sale.event_id)
                answer = await admin.post("/api/tickets", json={**body, "transaction_id": "8N7A6"})
                assert answer.status_code == 201
                texts = [(await mail_server.arrival()).text for _ in range(REGISTRATIONS)]
                [ticket_type] = (await admin.get(f"/api/ticket-types?event_id={sale.event_id}")).json()["data"]
        # The processes have ended, after sending what they had started to send.
        assert len(mail_server.delivered) == REGISTRATIONS
    assert ticket_type["sold"] == 1
    announced = [int(number) for text in texts for number in re.findall(r"Ticket no\. / টিকিট নম্বর: (\d+)", text)]
    assert sorted(announced) == sorted(ticket["id"] for ticket in unpaid)
