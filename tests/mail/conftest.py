"""A mail server, a platform that mails by it, and rounds of delivery when a test asks for them."""

from collections.abc import AsyncIterator, Callable

import pytest

from amarevents.mail.smtp import SmtpClient
from amarevents.mail.worker import MailWorker, WorkerTiming
from tests.rest.conftest import stage
from tests.support.mail_server import SENDER, PostOffice, open_post_office

__all__ = ["stage"]


@pytest.fixture
async def office(anyio_backend: str) -> AsyncIterator[PostOffice]:
    async with open_post_office() as opened:
        yield opened


@pytest.fixture
def mailing(configure: Callable[..., None], office: PostOffice) -> PostOffice:
    """The platform writes mails for this server; sending them is for ``delivery``."""
    configure(smtp_url=office.url, mail_from=SENDER, public_url="https://amarevents.example")
    return office


@pytest.fixture
def delivery(office: PostOffice) -> MailWorker:
    return MailWorker(SmtpClient(office.url, SENDER), WorkerTiming(poll=0.01, grace=0.2))
