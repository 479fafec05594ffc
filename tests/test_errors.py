"""The errors of the API, their codes and statuses (decisions 1.3, 1.4)."""

import inspect
import re
from collections import Counter
from pathlib import Path

import pytest

import amarevents.app  # noqa: F401 - some errors are declared in the modules that raise them
from amarevents import errors
from amarevents.errors import AmarEventsError
from amarevents.rest.envelopes import failure
from amarevents.rest.openapi.error_responses import documented_errors
from amarevents.rest.routes import ROUTES
from amarevents.schema.core.errors import extensions_of
from tests.support.tables import check_rows

STATUSES = {400, 401, 403, 404, 405, 429, 500, 503}
CONTRACT_CODES = {
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
    "amount": 4,
    "event": "Fair",
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
    "message": "Not allowed",
}


def _all_errors(base: type[AmarEventsError] = AmarEventsError) -> list[type[AmarEventsError]]:
    return [base, *(found for child in base.__subclasses__() for found in _all_errors(child))]


def _instance_of(error: type[AmarEventsError]) -> AmarEventsError:
    names = list(inspect.signature(error).parameters)
    return error(**{name: ARGUMENTS[name] for name in names if error.__init__ is not AmarEventsError.__init__})  # type: ignore[arg-type] # the arguments of this class


ERRORS = _all_errors()


def test_errors_of_all_modules_are_found() -> None:
    assert {errors.SoldOut, errors.NotFound, errors.ApiKeyRevoked} <= set(ERRORS)


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_has_a_status_of_the_contract(error: type[AmarEventsError]) -> None:
    assert error.status in STATUSES


@pytest.mark.parametrize("error", ERRORS)
def test_every_code_is_upper_snake_case(error: type[AmarEventsError]) -> None:
    assert re.fullmatch(r"[A-Z][A-Z0-9_]+", error.code)


def test_every_error_class_has_its_own_code() -> None:
    # AmarEventsError itself has the code of InternalError.
    codes = Counter(error.code for error in ERRORS if error is not AmarEventsError)
    assert [code for code, uses in codes.items() if uses > 1] == []


def test_error_class_has_the_status_of_its_parent() -> None:
    families = [error for error in ERRORS if error not in {AmarEventsError, *AmarEventsError.__subclasses__()}]
    assert [error for error in families if error.status != error.__base__.status] == []  # type: ignore[union-attr] # every error has a base class


@pytest.mark.parametrize(("code", "status"), CONTRACT_CODES.items())
def test_codes_of_the_contract_have_their_status(code: str, status: int) -> None:
    assert {error.status for error in ERRORS if error.code == code} == {status}


@pytest.mark.parametrize("error", ERRORS)
def test_rest_and_graphql_present_an_error_alike(error: type[AmarEventsError]) -> None:
    error_raised = _instance_of(error)
    response, extensions = failure(error_raised), extensions_of(error_raised)
    assert response.status_code == extensions["status"] == error.status
    assert error_raised.text
    assert f'"code":"{error.code}"'.encode() in bytes(response.body)
    assert extensions["code"] == error.code


def test_internal_error_reveals_no_details() -> None:
    assert failure(errors.InternalError()).body == (
        b'{"success":false,"error":"Internal error; quote the X-Request-ID when you report it","code":"INTERNAL"}'
    )


def test_message_of_a_validation_error_names_the_first_three_fields() -> None:
    error_raised = errors.ValidationFailed(dict.fromkeys("abcd", "is required"))
    assert str(error_raised) == "Invalid input: a: is required; b: is required; c: is required (and 1 more)"
    assert list(error_raised.fields) == list("abcd")


GUIDE = (Path(__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8").partition("## Error codes")[2]


def _listed_codes(text: str) -> list[tuple[str, int]]:
    """Return the codes in the tables of the guide, each with its status."""
    rows = re.findall(r"^\| (`[A-Z_`, ]+`) \| ([1-5]\d\d) \|", text, re.MULTILINE)
    return [(code, int(status)) for codes, status in rows for code in re.findall("`([A-Z_]+)`", codes)]


def test_guide_lists_the_codes_that_only_graphql_uses() -> None:
    listed = {code for code, _status in _listed_codes(GUIDE.partition("### GraphQL only")[2])}
    of_rest = {error.code for error in documented_errors(ROUTES)}
    required = {error.code for error in ERRORS} - of_rest | {"GRAPHQL_INVALID"}
    check_rows('docs/api.md, error codes, "GraphQL only"', listed, required)


def test_guide_lists_every_code_with_its_status() -> None:
    """GRAPHQL_INVALID is listed as well: it is the code of invalid documents and has no error class."""
    listed = _listed_codes(GUIDE)
    assert len(listed) == len(set(listed))
    required = {f"{error.code} ({error.status})" for error in ERRORS} | {"GRAPHQL_INVALID (400)"}
    check_rows("docs/api.md, error codes", {f"{code} ({status})" for code, status in listed}, required)
