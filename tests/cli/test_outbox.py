"""The command ``outbox``."""

import re

import pytest

from tests.cli.conftest import PASSWORD
from tests.support.programs import Program


@pytest.mark.backend("sqlite")
def test_outbox_lists_emails_and_releases_held_ones(ready: Program) -> None:
    confirming = Program(folder=ready.folder, settings={"CONFIRM_EMAIL": "true"})
    account = {"username": "Mina", "email": "mina@example.com", "password": PASSWORD, "number": "01700000000"}
    with confirming.serving() as server:
        assert server.client.post("/api/auth/register", json=account).status_code == 201
    assert re.fullmatch(r" +1  held .* confirm_email .* mina@example\.com .*\n", ready.printed("outbox"))
    assert ready.printed("outbox", "--status", "sent") == ""
    shown = ready.printed("outbox", "--id", "1")
    assert ("attempts:     0" in shown, "secret link" in shown, "token=" in shown) == (True, False, True)
    assert ready.refusal("outbox", "--id", "2") == "amarevents: There is no such email: 2"
    assert "AMAREVENTS_SMTP_URL" in ready.refusal("outbox", "--id", "1", "--release")
    with_server = Program(
        folder=ready.folder, settings={"SMTP_URL": "smtp://127.0.0.1:1", "MAIL_FROM": "a@example.org"}
    )
    assert "--status held" in with_server.refusal("outbox", "--release")
    assert with_server.printed("outbox", "--status", "held", "--release").startswith("Released 1 ")
    assert " pending " in ready.printed("outbox")
    shown = ready.printed("outbox", "--id", "1")  # the mail server delivers it now
    assert ("secret link" in shown, "token=" in shown) == (True, False)
