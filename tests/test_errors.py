"""Every failure that a caller may see has a code of its own and one of the contract's statuses (decisions 1.3, 1.4)."""

import inspect
import re
from collections import Counter
from pathlib import Path

import pytest

import amarevents.app  # noqa: F401 - some errors are declared beside what raises them
from amarevents import errors
from amarevents.errors import AmarEventsError
from amarevents.rest.envelopes import failure
from amarevents.rest.openapi.error_responses import documented_errors
from amarevents.rest.routes import ROUTES
from amarevents.schema.core.errors import extensions_of

STATUSES = {400, 401, 403, 404, 405, 429, 500}
NAMED_BY_THE_DECISIONS = {
    "EVENT_SLOTS_EXHAUSTED": 403,
    "SOLD_OUT": 400,
    "DUPLICATE_TRANSACTION": 400,
    "IDEMPOTENCY_MISMATCH": 400,
    "USERNAME_TAKEN": 400,
    "EMAIL_TAKEN": 400,
    "INTERNAL": 500,
}
ARGUMENTS: dict[str, object] = {
    "whose": "An account",
    "fields": {"name": "is required"},
    "due": 5,
    "taken": 12,
    "accepted": ["admin"],
    "scope": "admin",
    "key_type": "admin",
    "what": "Event",
    "allowed": ["GET"],
    "retry_after": 7,
    "limit": 100,
    "status": "Failed",
    "message": "Not like this",
}


def _all_errors(base: type[AmarEventsError] = AmarEventsError) -> list[type[AmarEventsError]]:
    return [base, *(found for child in base.__subclasses__() for found in _all_errors(child))]


def _made(error: type[AmarEventsError]) -> AmarEventsError:
    names = list(inspect.signature(error).parameters)
    return error(**{name: ARGUMENTS[name] for name in names if error.__init__ is not AmarEventsError.__init__})  # type: ignore[arg-type] # by name


ERRORS = _all_errors()


def test_errors_are_found_at_all() -> None:
    assert {errors.SoldOut, errors.NotFound, errors.ApiKeyRevoked} <= set(ERRORS)


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_has_one_of_the_contracts_statuses(error: type[AmarEventsError]) -> None:
    assert error.status in STATUSES


@pytest.mark.parametrize("error", ERRORS)
def test_every_code_is_machine_readable(error: type[AmarEventsError]) -> None:
    assert re.fullmatch(r"[A-Z][A-Z0-9_]+", error.code)


def test_every_class_has_a_code_of_its_own() -> None:
    # InternalError is what AmarEventsError itself stands for.
    codes = Counter(error.code for error in ERRORS if error is not AmarEventsError)
    assert [code for code, uses in codes.items() if uses > 1] == []


def test_every_class_keeps_the_status_of_its_parent() -> None:
    families = [error for error in ERRORS if error not in {AmarEventsError, *AmarEventsError.__subclasses__()}]
    assert [error for error in families if error.status != error.__base__.status] == []  # type: ignore[union-attr] # has one


@pytest.mark.parametrize(("code", "status"), NAMED_BY_THE_DECISIONS.items())
def test_codes_that_integrators_rely_on_have_their_status(code: str, status: int) -> None:
    assert {error.status for error in ERRORS if error.code == code} == {status}


@pytest.mark.parametrize("error", ERRORS)
def test_both_surfaces_say_the_same_of_an_error(error: type[AmarEventsError]) -> None:
    made = _made(error)
    answer, extensions = failure(made), extensions_of(made)
    assert answer.status_code == extensions["status"] == error.status
    assert made.text
    assert f'"code":"{error.code}"'.encode() in bytes(answer.body)
    assert extensions["code"] == error.code


def test_what_was_unforeseen_tells_nothing() -> None:
    assert failure(errors.InternalError()).body == (
        b'{"success":false,"error":"Internal error; quote the X-Request-ID when you report it","code":"INTERNAL"}'
    )


def test_validation_names_the_first_three_fields_in_its_message_and_all_of_them_apart() -> None:
    made = errors.ValidationFailed(dict.fromkeys("abcd", "is required"))
    assert str(made) == "Invalid input: a: is required; b: is required; c: is required (and 1 more)"
    assert list(made.fields) == list("abcd")


GUIDE = (Path(__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8").partition("## Error codes")[2]


def _listed_codes(text: str) -> list[tuple[str, int]]:
    """Return the codes in the tables of the guide, each with its status."""
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \| ([1-5]\d\d) \|", text, re.MULTILINE)
    return [(code, int(status)) for codes, status in rows for code in re.findall("`([A-Z_]+)`", codes)]


def test_the_guide_and_the_reference_agree_on_what_is_graphql_s_alone() -> None:
    listed = {code for code, _status in _listed_codes(GUIDE.partition("### GraphQL only")[2])}
    of_rest = {error.code for error in documented_errors(ROUTES)}
    assert listed == {error.code for error in ERRORS} - of_rest | {"GRAPHQL_INVALID"}


def test_the_guide_has_every_code_with_its_status() -> None:
    """And GraphQL's own for what is wrong with a document, which is no failure of ours."""
    listed = _listed_codes(GUIDE)
    assert len(listed) == len(set(listed))
    assert set(listed) == {(error.code, error.status) for error in ERRORS} | {("GRAPHQL_INVALID", 400)}
