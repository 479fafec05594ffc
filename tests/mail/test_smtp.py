"""The SMTP client against a real server: envelopes, refusals, authentication and TLS."""

import asyncio
import socket
import ssl
import subprocess
from email.message import EmailMessage
from pathlib import Path

import pytest

from amarevents.mail import smtp
from amarevents.mail.smtp import MailDeferred, MailRejected, ServerUnavailable, SmtpClient
from tests.support.mail_server import PASSWORD, SENDER, USERNAME, MailServer, start_mail_server

TO = "karim@example.com"
CREDENTIALS = f"{USERNAME}:pass%20word%2F%3F"


def message_to(recipient: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, recipient, "Hello"
    message.set_content("Hello")
    return message


async def send(url: str, recipient: str = TO) -> None:
    client = SmtpClient(url, SENDER)
    try:
        await client.send(message_to(recipient), recipient)
    finally:
        await client.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a file with the key and the self-signed certificate of 127.0.0.1."""
    folder = tmp_path_factory.mktemp("certificate")
    key, made = folder / "key.pem", folder / "made.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    new = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-keyout",
        str(key),
        "-out",
        str(made),
    ]
    subprocess.run([*new, *names], check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_text(key.read_text() + made.read_text())
    return both


def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


async def test_a_message_arrives_with_its_envelope(mail_server: MailServer) -> None:
    await send(mail_server.url)
    [got] = mail_server.delivered
    assert (got.sender, got.recipients) == ("tickets@example.org", [TO])
    assert got.message["Subject"] == "Hello"


async def test_several_messages_share_a_connection(mail_server: MailServer) -> None:
    client = SmtpClient(mail_server.url, SENDER)
    for _ in range(3):
        await client.send(message_to(TO), TO)
    await client.close()
    assert (len(mail_server.delivered), mail_server.connections) == (3, 1)


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        ("550 5.1.1 No such mailbox", MailRejected),
        ("553 Not\r\n", MailRejected),
        ("451 4.7.1 Greylisted", MailDeferred),
        ("452 Full", MailDeferred),
    ],
)
async def test_the_reply_code_decides_whether_a_refusal_is_permanent(
    mail_server: MailServer, answer: str, failure: type[Exception]
) -> None:
    mail_server.refusals[TO] = answer.strip()
    client = SmtpClient(mail_server.url, SENDER)
    with pytest.raises(failure, match=answer[:3]) as refusal:
        await client.send(message_to(TO), TO)
    assert type(refusal.value) is failure
    await client.send(message_to("other@example.com"), "other@example.com")  # over the same connection
    await client.close()
    assert (len(mail_server.delivered), mail_server.connections) == (1, 1)


async def test_a_refused_connection_is_server_unavailable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(ServerUnavailable):
            await send(f"smtp://127.0.0.1:{unused.getsockname()[1]}")


async def test_a_server_that_does_not_answer_times_out(
    mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_server.answering.clear()
    monkeypatch.setattr(smtp, "STEP_SECONDS", 0.05)
    with pytest.raises(ServerUnavailable, match="Timed out"):
        await send(mail_server.url)
    assert mail_server.receiving.is_set()


async def test_a_whole_delivery_has_a_time_limit(mail_server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    mail_server.answering.clear()
    monkeypatch.setattr(smtp, "MAIL_SECONDS", 0.05)
    with pytest.raises(ServerUnavailable):
        await send(mail_server.url)


async def test_a_closed_connection_is_server_unavailable() -> None:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"421 Closing\r\n")
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        with pytest.raises(ServerUnavailable, match="421 Closing"):
            await send(f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}")


async def test_a_reply_that_is_not_utf8_becomes_a_valid_reason() -> None:
    ended = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 Hello\r\n")
        while line := await reader.readline():
            writer.write(b"550 Empf\xe4nger?\r\n" if line.startswith(b"RCPT") else b"250 OK\r\n")
        writer.close()
        await writer.wait_closed()
        ended.set()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        with pytest.raises(MailRejected, match="550 Empf") as refusal:
            await send(f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await ended.wait()
    assert str(refusal.value).encode()


# Addresses that are not ASCII -----------------------------------------------------------------------------------


async def test_a_mailbox_that_is_not_ascii_is_accepted_with_smtputf8(mail_server: MailServer) -> None:
    await send(mail_server.url, "করিম@example.com")
    [got] = mail_server.delivered
    assert got.recipients == ["করিম@example.com"]
    assert got.message["To"] == "করিম@example.com"


async def test_a_mailbox_that_is_not_ascii_is_rejected_without_smtputf8() -> None:
    async with start_mail_server(smtputf8=False) as mail_server:
        with pytest.raises(MailRejected, match="only ASCII addresses"):
            await send(mail_server.url, "করিম@example.com")
    assert mail_server.delivered == []


# Passwords and TLS ----------------------------------------------------------------------------------------------


async def test_credentials_are_decoded_and_accepted() -> None:
    async with start_mail_server(requires_login=True) as mail_server:
        with pytest.raises(MailRejected, match="Who are you"):
            await send(mail_server.url)
        await send(mail_server.url.replace("//", f"//{CREDENTIALS}@"))
    assert len(mail_server.delivered) == 1


async def test_wrong_credentials_are_server_unavailable_without_the_password() -> None:
    async with start_mail_server(requires_login=True) as mail_server:
        with pytest.raises(ServerUnavailable) as refusal:
            await send(mail_server.url.replace("//", "//amar:hunter2@"))
    assert "535" in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


def test_the_password_is_removed_from_the_reason() -> None:
    reason = SmtpClient(f"smtp://{CREDENTIALS}@127.0.0.1", SENDER)._reason(ValueError(f"bad\r\n {PASSWORD}!"))
    assert reason == "bad …!"


async def test_offered_starttls_is_used_even_with_an_untrusted_certificate(certificate: Path) -> None:
    async with start_mail_server(tls=server_side(certificate)) as mail_server:
        await send(mail_server.url)
    assert len(mail_server.delivered) == 1


async def test_required_starttls_needs_a_trusted_certificate(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start_mail_server(tls=server_side(certificate), requires_login=True) as mail_server:
        url = mail_server.url.replace("smtp://", f"smtp+starttls://{CREDENTIALS}@")
        with pytest.raises(ServerUnavailable, match="certificate"):
            await send(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        await send(url)
    assert len(mail_server.delivered) == 1


async def test_required_starttls_fails_if_the_server_does_not_offer_it(mail_server: MailServer) -> None:
    with pytest.raises(ServerUnavailable, match="STARTTLS"):
        await send(mail_server.url.replace("smtp://", "smtp+starttls://"))
    assert mail_server.delivered == []


async def test_smtps_uses_implicit_tls_and_needs_a_trusted_certificate(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start_mail_server(implicit_tls=server_side(certificate), requires_login=True) as mail_server:
        url = mail_server.url.replace("smtp://", f"smtps://{CREDENTIALS}@")
        with pytest.raises(ServerUnavailable, match="certificate"):
            await send(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        await send(url)
    assert len(mail_server.delivered) == 1
