"""Negative control of the comparison of raised and declared errors."""

import dataclasses
from typing import Any

import pytest

from amarevents import errors
from amarevents.resolvers.accounts import auth
from tests.support.declared_errors import UndeclaredError, is_declared, require_declared_errors
from tests.support.world import World


def test_errors_of_the_operation_and_of_any_request_are_declared() -> None:
    assert is_declared(auth.login, errors.InvalidCredentials())
    assert is_declared(auth.login, errors.MissingScope("events:read"))
    assert not is_declared(auth.login, errors.SoldOut())


async def test_an_undeclared_error_is_reported(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"email": "unknown@example.com", "password": "secret123"}
    with require_declared_errors():
        assert (await world.anonymous.post("/auth/login", wrong)).json()["code"] == "INVALID_CREDENTIALS"
    _declare(monkeypatch, auth.login, raises=())
    with pytest.raises(UndeclaredError, match="login raises InvalidCredentials"), require_declared_errors():
        await world.anonymous.post("/auth/login", wrong)


def _declare(monkeypatch: pytest.MonkeyPatch, operation: Any, *, raises: tuple[type, ...]) -> None:
    """Change what a frozen operation declares."""
    assert dataclasses.is_dataclass(operation)
    monkeypatch.setitem(vars(operation), "raises", raises)
