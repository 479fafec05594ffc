"""A real SMTP server on loopback, in the loop of the tests, that keeps what it takes and refuses what it is told to."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

SENDER = "Amar Events <tickets@example.org>"
USERNAME, PASSWORD = "amar", "pass word/?"


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message that the server has taken, and from and to whom it said to be."""

    sender: str
    recipients: list[str]
    message: EmailMessage

    @property
    def text(self) -> str:
        return str(_part(self.message, "plain").get_content()).replace("\r\n", "\n")

    @property
    def html(self) -> str:
        return str(_part(self.message, "html").get_content())


def _part(message: EmailMessage, kind: str) -> EmailMessage:
    part = message.get_body((kind,))
    assert isinstance(part, EmailMessage)
    return part


# Any below: aiosmtpd gives its handlers the server itself, and options of no further interest.


class PostOffice:
    """``refusals``: what is answered to recipients, by address; ``answering``: until it is set nothing is taken."""

    def __init__(self, *, asks_for_password: bool) -> None:
        self._asks_for_password = asks_for_password
        self.delivered: list[Delivered] = []
        self._arrivals: asyncio.Queue[Delivered] = asyncio.Queue()
        self.refusals: dict[str, str] = {}
        self.connections = 0
        self.answering = asyncio.Event()
        self.answering.set()
        self.asked = asyncio.Event()
        self.url = ""

    # The names are aiosmtpd's.

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, session: Session, envelope: Envelope, address: str, _options: Any
    ) -> str:
        if self._asks_for_password and not session.authenticated:
            return "530 5.7.0 Who are you?"
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.asked.set()
        await self.answering.wait()
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, _class=EmailMessage, policy=default)
        self.delivered.append(Delivered(str(envelope.mail_from), list(envelope.rcpt_tos), message))
        self._arrivals.put_nowait(self.delivered[-1])
        return "250 OK"

    async def arrival(self) -> Delivered:
        """The next message that is taken, or that has been since the last time."""
        async with asyncio.timeout(20):
            return await self._arrivals.get()


def _authenticated(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
    good = LoginPassword(USERNAME.encode(), PASSWORD.encode())
    return AuthResult(success=given == good, handled=False)


@asynccontextmanager
async def open_post_office(
    *,
    tls: ssl.SSLContext | None = None,
    tls_at_once: ssl.SSLContext | None = None,
    asks_for_password: bool = False,
    smtputf8: bool = True,
) -> AsyncIterator[PostOffice]:
    """Serve until the block ends; with ``tls`` nothing goes before STARTTLS, with ``tls_at_once`` nothing without."""
    office = PostOffice(asks_for_password=asks_for_password)
    sessions: list[SMTP] = []

    def accept() -> SMTP:
        office.connections += 1
        session = SMTP(
            office,
            hostname="mail.example",
            enable_SMTPUTF8=smtputf8,
            tls_context=tls,
            require_starttls=tls is not None,
            authenticator=_authenticated if asks_for_password else None,
            auth_require_tls=tls is not None,
            loop=asyncio.get_running_loop(),
        )
        sessions.append(session)
        return session

    server = await asyncio.get_running_loop().create_server(accept, "127.0.0.1", 0, ssl=tls_at_once)
    office.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield office
    finally:
        office.answering.set()
        server.close()
        for session in sessions:
            if session.transport is not None:
                session.transport.close()
        await server.wait_closed()
