"""SMTP client that sends messages and classifies the errors of the server."""

import asyncio
import contextlib
import re
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

import aiosmtplib

STEP_SECONDS = 60.0  # per step, such as a command; some servers scan a message before they accept it
MAIL_SECONDS = 240.0  # for all steps of one email
QUIT_SECONDS = 2.0
_MAX_REASON_LENGTH = 500
_FIRST_PERMANENT_CODE = 500


class MailRejected(Exception):
    """The server permanently rejected this email, or the address of the recipient is not valid."""


class MailDeferred(Exception):
    """The server temporarily rejected this email."""


class ServerUnavailable(MailDeferred):
    """The server cannot be reached or used, so that no email can be sent at the moment."""


class SmtpClient:
    """A client with at most one connection, which is opened when the first email is sent.

    ``url`` and ``sender`` are the settings ``smtp_url`` and ``mail_from``.
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
        """Send a message. Raises MailRejected, MailDeferred or ServerUnavailable."""
        try:
            async with asyncio.timeout(MAIL_SECONDS):
                await self._transmit(await self._connected(), message, recipient)
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPDataError) as error:
            refusal = error.recipients[0] if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else error
            failure = MailRejected if refusal.code >= _FIRST_PERMANENT_CODE else MailDeferred
            raise failure(self._reason(refusal)) from error
        except (aiosmtplib.SMTPException, OSError) as error:  # OSError includes TimeoutError and TLS errors
            self._drop()
            raise ServerUnavailable(self._reason(error)) from error
        except ValueError as error:  # after OSError: some TLS errors are both
            raise MailRejected(f"The recipient address is not valid: {self._reason(error)}") from error

    async def close(self) -> None:
        """Close the connection, with QUIT if the server answers in time."""
        if self._smtp is not None and self._smtp.is_connected:
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await self._smtp.quit(timeout=QUIT_SECONDS)
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
        """Return a client for the URL. Plain ``smtp`` uses STARTTLS if offered, without validating the certificate."""
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
            raise ValueError("the mail server accepts only ASCII addresses (no SMTPUTF8)")
        encoded = message.as_bytes(policy=SMTPUTF8)
        await smtp.sendmail(self._address, [recipient], encoded, mail_options=["SMTPUTF8", "BODY=8BITMIME"])

    def _reason(self, error: Exception) -> str:
        """Return an error as one line, without the password in case the server echoes it."""
        if isinstance(error, aiosmtplib.SMTPResponseException):
            reason = f"{error.code} {error.message}"
        else:
            reason = str(error) or type(error).__name__
        if self._password:
            reason = reason.replace(self._password, "…")
        # Servers answer in any encoding. Bytes that are not UTF-8 arrive as lone surrogates, which databases reject.
        storable = reason.encode("utf-8", "replace").decode()
        return re.sub(r"[\s\x00-\x1f\x7f-\x9f]+", " ", storable).strip()[:_MAX_REASON_LENGTH]
