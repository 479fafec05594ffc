"""Emails of servers in processes of their own, delivered to a real SMTP server."""

import asyncio
import re
from collections.abc import Callable

import pytest

from tests.support.mail_server import SENDER, MailServer, start_mail_server
from tests.support.platforms import Deployment, new_user_key, put_on_sale, register

REGISTRATIONS = 30


async def _messages(mail_server: MailServer, count: int) -> list[str]:
    """Return the texts of the next messages."""
    return [(await mail_server.arrival()).text for _ in range(count)]


async def test_a_new_user_confirms_the_email_and_receives_a_ticket(
    shared_deployment: Deployment, admin_key: str, new_name: Callable[[], str]
) -> None:
    async with start_mail_server() as mail_server:
        with shared_deployment.serving(smtp_url=mail_server.url, mail_from=SENDER) as platform:
            async with platform.client() as client, platform.client(admin_key) as admin:
                sale = await put_on_sale(admin, capacity=5)
                key = await new_user_key(client, new_name())
                [text] = await _messages(mail_server, 1)
                [(base, token)] = re.findall(r"^(http\S+)/confirm-email\?token=(\S+)$", text, re.MULTILINE)
                assert base == platform.url
                page = await client.post("/confirm-email", data={"token": token})
                assert page.status_code == 200
            async with platform.client(key) as buyer:
                made = (await buyer.post("/api/tickets", json={"event_id": sale.event_id})).json()["data"]
            [text] = await _messages(mail_server, 1)
            assert made["code"] in text
            assert token not in platform.log


@pytest.mark.backend("postgres")
async def test_four_processes_send_every_email_once(
    shared_deployment: Deployment, admin_key: str, new_name: Callable[[], str]
) -> None:
    async with start_mail_server() as mail_server:
        with shared_deployment.serving(
            workers=4, smtp_url=mail_server.url, mail_from=SENDER, confirm_email="false"
        ) as platform:
            async with platform.client(admin_key) as admin:
                sale = await put_on_sale(admin, capacity=REGISTRATIONS)
                requests = [admin.post("/api/tickets", json={"event_id": sale.event_id}) for _ in range(REGISTRATIONS)]
                codes = [answer.json()["data"]["code"] for answer in await asyncio.gather(*requests)]
            texts = await _messages(mail_server, REGISTRATIONS)
        # The processes have ended, after sending what they had started to send.
        assert len(mail_server.delivered) == REGISTRATIONS
    assert sorted(re.findall(r"AE[A-Z2-7]{25}", "".join(texts))) == sorted(codes)


async def test_an_unresponsive_mail_server_delays_no_request_and_loses_no_email(
    shared_deployment: Deployment, admin_key: str, new_name: Callable[[], str]
) -> None:
    async with start_mail_server() as mail_server:
        mail_server.answering.clear()
        with shared_deployment.serving(smtp_url=mail_server.url, mail_from=SENDER, confirm_email="false") as platform:
            async with platform.client(admin_key) as admin, platform.client() as client:
                sale = await put_on_sale(admin, capacity=REGISTRATIONS)
                first = await admin.post("/api/tickets", json={"event_id": sale.event_id})
                await asyncio.wait_for(mail_server.receiving.wait(), 20)
                await register(client, new_name())
                requests = [admin.post("/api/tickets", json={"event_id": sale.event_id}) for _ in range(10)]
                answers = [first, *await asyncio.gather(*requests)]
            assert {answer.status_code for answer in answers} == {201}
            assert mail_server.delivered == []
            mail_server.answering.set()
            codes = [answer.json()["data"]["code"] for answer in answers]
            texts = await _messages(mail_server, len(codes))
        assert sorted(re.findall(r"AE[A-Z2-7]{25}", "".join(texts))) == sorted(codes)
