"""The commands ``create-admin``, ``create-key`` and ``confirm-email``."""

import re

import pytest

from tests.cli.conftest import ADMIN, PASSWORD
from tests.support.programs import Program


def test_first_admin_can_log_in_and_use_an_admin_key(program: Program) -> None:
    program.printed("migrate")
    assert (
        program.printed("create-admin", *ADMIN, typed=f"{PASSWORD}\n") == "Created the admin Root <root@example.com>\n"
    )
    raw = program.printed("create-key", "--email", "ROOT@example.com", "--type", "admin")
    assert re.fullmatch(r"ae_a_\w+\n", raw)
    with program.serving() as server:
        login = {"email": "root@example.com", "password": PASSWORD}
        account = server.client.post("/api/auth/login", json=login).json()["data"]
        assert (account["username"], account["admin"]) == ("Root", True)
        server.client.cookies.clear()
        me = server.client.get("/api/auth/me", headers={"Authorization": f"Bearer {raw.strip()}"}).json()["data"]
        assert (me["auth"]["key_type"], me["auth"]["permissions"]) == ("admin", ["*"])
        assert PASSWORD not in server.printed()
        assert server.client.head("/api/events").content == b""


@pytest.mark.backend("sqlite")
def test_create_admin_refuses_invalid_and_taken_accounts(ready: Program) -> None:
    assert ready.refusal("create-admin", *ADMIN, typed="short\n").startswith("amarevents: Invalid input: password: ")
    taken = ["--username", "Other", *ADMIN[2:]]
    refusal = ready.refusal("create-admin", *taken, typed=f"{PASSWORD}\n")
    assert refusal == "amarevents: An account with this email already exists"


@pytest.mark.backend("sqlite")
def test_create_key_grants_the_given_permissions(ready: Program) -> None:
    options = ["--email", "root@example.com", "--type", "user", "--permission", "tickets:read", "--permission"]
    raw = ready.printed("create-key", *options, "events:read").strip()
    with ready.serving() as server:
        me = server.client.get("/api/auth/me", headers={"Authorization": f"Bearer {raw}"}).json()["data"]
    assert (me["auth"]["key_type"], sorted(me["auth"]["permissions"])) == ("user", ["events:read", "tickets:read"])
    assert "user keys cannot have" in ready.refusal("create-key", *options, "events:write")


@pytest.mark.backend("sqlite")
def test_confirm_email_requires_an_existing_account(ready: Program) -> None:
    assert ready.printed("confirm-email", "--email", "root@example.com") == "Confirmed root@example.com\n"
    refusal = ready.refusal("confirm-email", "--email", "unknown@example.com")
    assert refusal == "amarevents: There is no account with the email unknown@example.com"
