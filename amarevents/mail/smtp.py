"""Handing a message to the SMTP server, and what its refusals mean."""

import asyncio
import contextlib
import re
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

import aiosmtplib

STEP_SECONDS = 60.0  # for each step: connecting, a command, its answer; some look into a mail before they take it
MAIL_SECONDS = 240.0  # for all steps of one mail
LEAVE_SECONDS = 2.0
_MAX_REASON = 500
_PERMANENT = 500


class MailRejected(Exception):
    """The server will never take this mail, or the recipient's address cannot be one."""


class MailDeferred(Exception):
    """Not now; this mail may be taken later."""


class ServerUnavailable(MailDeferred):
    """The server cannot be reached or used: no other mail would fare better now."""


class SmtpClient:
    """At most one connection to the server, made when the first mail needs it.

    ``url`` is the setting ``smtp_url``, ``sender`` the one ``mail_from``.
    """

    def __init__(self, url: str, sender: str) -> None:
        parts = urlsplit(url)
        self.sender = sender
        self._address = parseaddr(sender)[1]
        self._host, self._port, self._scheme = parts.hostname, parts.port, parts.scheme
        self._username = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._smtp: aiosmtplib.SMTP | None = None

    async def send(self, message: EmailMessage, recipient: str) -> None:
        """Returns once the server has taken the message. Raises MailRejected, MailDeferred or ServerUnavailable."""
        try:
            async with asyncio.timeout(MAIL_SECONDS):
                await self._transmit(await self._connected(), message, recipient)
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPDataError) as error:
            refusal = error.recipients[0] if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else error
            failure = MailRejected if refusal.code >= _PERMANENT else MailDeferred
            raise failure(self._reason(refusal)) from error
        except (aiosmtplib.SMTPException, OSError) as error:  # OSError: TimeoutError and those of TLS among them
            self._drop()
            raise ServerUnavailable(self._reason(error)) from error
        except ValueError as error:  # after those of TLS, of which some are both
            raise MailRejected(f"The address cannot be written to: {self._reason(error)}") from error

    async def close(self) -> None:
        """End the connection, if there is one, politely where the server answers at once."""
        if self._smtp is not None and self._smtp.is_connected:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await self._smtp.quit(timeout=LEAVE_SECONDS)
        self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
        self._smtp = None

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._smtp is None or not self._smtp.is_connected:
            self._drop()
            self._smtp = self._client()
            await self._smtp.connect()
        return self._smtp

    def _client(self) -> aiosmtplib.SMTP:
        """Plain ``smtp`` encrypts where the server offers it, without knowing whose certificate to expect."""
        return aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._username,
            password=self._password,
            use_tls=self._scheme == "smtps",
            start_tls={"smtp": None, "smtp+starttls": True, "smtps": False}[self._scheme],
            validate_certs=self._scheme != "smtp",
            timeout=STEP_SECONDS,
        )

    async def _transmit(self, smtp: aiosmtplib.SMTP, message: EmailMessage, recipient: str) -> None:
        if recipient.isascii():
            await smtp.sendmail(self._address, [recipient], message.as_bytes(policy=SMTP))
            return
        if not smtp.supports_extension("smtputf8"):
            raise ValueError("the mail server takes only ASCII addresses (no SMTPUTF8)")
        encoded = message.as_bytes(policy=SMTPUTF8)
        await smtp.sendmail(self._address, [recipient], encoded, mail_options=["SMTPUTF8", "BODY=8BITMIME"])

    def _reason(self, error: Exception) -> str:
        """What went wrong in one line, without the password, should the server repeat it."""
        if isinstance(error, aiosmtplib.SMTPResponseException):
            told = f"{error.code} {error.message}"
        else:
            told = str(error) or type(error).__name__
        if self._password:
            told = told.replace(self._password, "…")
        # Servers answer in any encoding: what is not ASCII or UTF-8 comes as lone surrogates, which nothing can store.
        storable = told.encode("utf-8", "replace").decode()
        return re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", storable).strip()[:_MAX_REASON]
