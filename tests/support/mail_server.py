"""An SMTP server on the loopback interface that records deliveries and refuses the recipients that a test names."""

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
    """A delivered message with its envelope."""

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


# Any below: aiosmtpd passes the server and options that are not used here.


class MailServer:
    """``refusals``: the replies to recipients, by address; ``answering``: messages are only accepted once it is set."""

    def __init__(self, *, requires_login: bool) -> None:
        self._asks_for_password = requires_login
        self.delivered: list[Delivered] = []
        self._arrivals: asyncio.Queue[Delivered] = asyncio.Queue()
        self.refusals: dict[str, str] = {}
        self.connections = 0
        self.answering = asyncio.Event()
        self.answering.set()
        self.receiving = asyncio.Event()
        self.url = ""

    # The names are those of aiosmtpd.

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
        self.receiving.set()
        await self.answering.wait()
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, _class=EmailMessage, policy=default)
        self.delivered.append(Delivered(str(envelope.mail_from), list(envelope.rcpt_tos), message))
        self._arrivals.put_nowait(self.delivered[-1])
        return "250 OK"

    async def arrival(self) -> Delivered:
        """Wait for the next message that this method has not returned yet."""
        async with asyncio.timeout(20):
            return await self._arrivals.get()


def _authenticated(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
    expected = LoginPassword(USERNAME.encode(), PASSWORD.encode())
    return AuthResult(success=given == expected, handled=False)


@asynccontextmanager
async def start_mail_server(
    *,
    tls: ssl.SSLContext | None = None,
    implicit_tls: ssl.SSLContext | None = None,
    requires_login: bool = False,
    smtputf8: bool = True,
) -> AsyncIterator[MailServer]:
    """Serve until the block ends; ``tls`` makes STARTTLS a requirement, ``implicit_tls`` encrypts from the start."""
    mail_server = MailServer(requires_login=requires_login)
    sessions: list[SMTP] = []

    def accept() -> SMTP:
        mail_server.connections += 1
        session = SMTP(
            mail_server,
            hostname="mail.example",
            enable_SMTPUTF8=smtputf8,
            tls_context=tls,
            require_starttls=tls is not None,
            authenticator=_authenticated if requires_login else None,
            auth_require_tls=tls is not None,
            loop=asyncio.get_running_loop(),
        )
        sessions.append(session)
        return session

    server = await asyncio.get_running_loop().create_server(accept, "127.0.0.1", 0, ssl=implicit_tls)
    mail_server.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield mail_server
    finally:
        mail_server.answering.set()
        server.close()
        for session in sessions:
            if session.transport is not None:
                session.transport.close()
        await server.wait_closed()
