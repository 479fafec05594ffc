"""Handing messages to a real SMTP server: how, and what its answers mean."""

import asyncio
import socket
import ssl
import subprocess
from email.message import EmailMessage
from pathlib import Path

import pytest

from amarevents.mail import smtp
from amarevents.mail.smtp import MailDeferred, MailRejected, ServerUnavailable, SmtpClient
from tests.support.mail_server import PASSWORD, SENDER, USERNAME, PostOffice, open_post_office

TO = "karim@example.com"
CREDENTIALS = f"{USERNAME}:pass%20word%2F%3F"


def message_to(recipient: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = SENDER, recipient, "Hello"
    message.set_content("Hello")
    return message


async def send(url: str, recipient: str = TO) -> None:
    postman = SmtpClient(url, SENDER)
    try:
        await postman.send(message_to(recipient), recipient)
    finally:
        await postman.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the key and the self-signed certificate of 127.0.0.1."""
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


async def test_a_message_arrives_with_its_envelope(office: PostOffice) -> None:
    await send(office.url)
    [got] = office.delivered
    assert (got.sender, got.recipients) == ("tickets@example.org", [TO])
    assert got.message["Subject"] == "Hello"


async def test_several_messages_take_one_connection(office: PostOffice) -> None:
    postman = SmtpClient(office.url, SENDER)
    for _ in range(3):
        await postman.send(message_to(TO), TO)
    await postman.close()
    assert (len(office.delivered), office.connections) == (3, 1)


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        ("550 5.1.1 No such mailbox", MailRejected),
        ("553 Not\r\n", MailRejected),
        ("451 4.7.1 Greylisted", MailDeferred),
        ("452 Full", MailDeferred),
    ],
)
async def test_a_refused_recipient_is_final_or_not_as_the_server_says(
    office: PostOffice, answer: str, failure: type[Exception]
) -> None:
    office.refusals[TO] = answer.strip()
    postman = SmtpClient(office.url, SENDER)
    with pytest.raises(failure, match=answer[:3]) as told:
        await postman.send(message_to(TO), TO)
    assert type(told.value) is failure
    await postman.send(message_to("other@example.com"), "other@example.com")  # over the same connection
    await postman.close()
    assert (len(office.delivered), office.connections) == (1, 1)


async def test_nobody_listening_is_a_failure_of_the_server() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(ServerUnavailable):
            await send(f"smtp://127.0.0.1:{unused.getsockname()[1]}")


async def test_a_server_that_does_not_answer_is_left_after_a_while(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.answering.clear()
    monkeypatch.setattr(smtp, "STEP_SECONDS", 0.05)
    with pytest.raises(ServerUnavailable, match="Timed out"):
        await send(office.url)
    assert office.asked.is_set()


async def test_all_steps_together_have_a_limit(office: PostOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    office.answering.clear()
    monkeypatch.setattr(smtp, "MAIL_SECONDS", 0.05)
    with pytest.raises(ServerUnavailable):
        await send(office.url)


async def test_a_server_that_hangs_up_is_a_failure_of_the_server() -> None:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"421 Closing\r\n")
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        with pytest.raises(ServerUnavailable, match="421 Closing"):
            await send(f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}")


async def test_an_answer_in_no_encoding_becomes_a_reason_that_can_be_stored() -> None:
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
        with pytest.raises(MailRejected, match="550 Empf") as told:
            await send(f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await ended.wait()
    assert str(told.value).encode()


# Addresses that are not ASCII -----------------------------------------------------------------------------------


async def test_a_mailbox_that_is_not_ascii_is_written_to_where_the_server_can(office: PostOffice) -> None:
    await send(office.url, "করিম@example.com")
    [got] = office.delivered
    assert got.recipients == ["করিম@example.com"]
    assert got.message["To"] == "করিম@example.com"


async def test_and_refused_where_it_cannot() -> None:
    async with open_post_office(smtputf8=False) as office:
        with pytest.raises(MailRejected, match="only ASCII addresses"):
            await send(office.url, "করিম@example.com")
    assert office.delivered == []


# Passwords and TLS ----------------------------------------------------------------------------------------------


async def test_credentials_are_decoded_and_accepted() -> None:
    async with open_post_office(asks_for_password=True) as office:
        with pytest.raises(MailRejected, match="Who are you"):
            await send(office.url)
        await send(office.url.replace("//", f"//{CREDENTIALS}@"))
    assert len(office.delivered) == 1


async def test_wrong_credentials_are_a_failure_of_the_server_that_does_not_tell_them() -> None:
    async with open_post_office(asks_for_password=True) as office:
        with pytest.raises(ServerUnavailable) as told:
            await send(office.url.replace("//", "//amar:hunter2@"))
    assert "535" in str(told.value)
    assert "hunter2" not in str(told.value)


def test_a_password_that_the_server_repeats_is_left_out() -> None:
    reason = SmtpClient(f"smtp://{CREDENTIALS}@127.0.0.1", SENDER)._reason(ValueError(f"bad\r\n {PASSWORD}!"))
    assert reason == "bad …!"


async def test_starttls_is_used_where_it_is_offered_even_if_nobody_vouches_for_it(certificate: Path) -> None:
    async with open_post_office(tls=server_side(certificate)) as office:
        await send(office.url)
    assert len(office.delivered) == 1


async def test_starttls_that_is_required_needs_a_trusted_certificate(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_post_office(tls=server_side(certificate), asks_for_password=True) as office:
        url = office.url.replace("smtp://", f"smtp+starttls://{CREDENTIALS}@")
        with pytest.raises(ServerUnavailable, match="certificate"):
            await send(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        await send(url)
    assert len(office.delivered) == 1


async def test_starttls_that_is_required_is_not_done_without(office: PostOffice) -> None:
    with pytest.raises(ServerUnavailable, match="STARTTLS"):
        await send(office.url.replace("smtp://", "smtp+starttls://"))
    assert office.delivered == []


async def test_smtps_encrypts_from_the_first_byte_and_needs_a_trusted_certificate(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_post_office(tls_at_once=server_side(certificate), asks_for_password=True) as office:
        url = office.url.replace("smtp://", f"smtps://{CREDENTIALS}@")
        with pytest.raises(ServerUnavailable, match="certificate"):
            await send(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        await send(url)
    assert len(office.delivered) == 1
