"""Fixtures of the mail tests: an SMTP server, and a worker that sends when a test asks it to."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import pytest

from amarevents.mail.smtp import SmtpClient
from amarevents.mail.worker import MailWorker, WorkerTiming
from amarevents.settings import Settings
from tests.rest.conftest import stage
from tests.support.mail_server import SENDER, MailServer, start_mail_server
from tests.support.outbox import enqueue_due

__all__ = ["stage"]


@pytest.fixture
async def mail_server(anyio_backend: str) -> AsyncIterator[MailServer]:
    async with start_mail_server() as opened:
        yield opened


@pytest.fixture
def configured_mail_server(configure: Callable[..., None], mail_server: MailServer) -> MailServer:
    """Configure the platform to send email through the server; ``delivery`` sends what is in the outbox."""
    configure(smtp_url=mail_server.url, mail_from=SENDER, public_url="https://amarevents.example")
    return mail_server


@pytest.fixture
def delivery(mail_server: MailServer) -> MailWorker:
    return MailWorker(SmtpClient(mail_server.url, SENDER), WorkerTiming(poll=0.01, grace=0.2))


@pytest.fixture
def enqueue(mail_server: MailServer, deployment: Settings) -> Callable[..., Awaitable[None]]:
    """Return a function that writes emails that are due: ``await enqueue(recipient, …)``."""
    return partial(enqueue_due, deployment)
