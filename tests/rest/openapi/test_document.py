"""The OpenAPI document as a whole: validity, routes, references and texts."""

import json
import re
from typing import Any

import pytest
from jsonschema_rs import meta
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from amarevents import errors
from amarevents.rest.openapi.document import build_document
from amarevents.rest.routes import ROUTES
from tests.contract.contract import contract_routes, with_contract_parameters
from tests.rest.openapi.document import BY_LINE, DOCUMENT, operation, operations, schema

TEXT = json.dumps(DOCUMENT, ensure_ascii=False)
REFERENCES = re.findall(r'"\$ref": "(#/components/[^"]+)"', TEXT)


def test_document_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert [error.message for error in OPENAPI_31_VALIDATOR.iter_errors(DOCUMENT)] == []


@pytest.mark.parametrize("change", [lambda it: it.pop("info"), lambda it: it.update(paths=[])], ids=["info", "paths"])
def test_invalid_document_is_detected(change: Any) -> None:  # Any: a function that changes JSON
    damaged = json.loads(TEXT)
    change(damaged)
    assert not OPENAPI_31_VALIDATOR.is_valid(damaged)


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["schemas"]))
def test_shared_schema_is_valid_json_schema(name: str) -> None:
    meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema(name)})


def test_document_has_exactly_the_routes_of_the_contract() -> None:
    documented = {
        (method.upper(), with_contract_parameters(path))
        for path, methods in DOCUMENT["paths"].items()
        for method in methods
    }
    assert documented == {(route.method, route.path) for route in contract_routes()}


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for operation in operations()]
    assert len(set(ids)) == len(ids) == len(ROUTES)


def test_references_resolve_and_every_component_is_used() -> None:
    components = {f"#/components/{kind}/{name}" for kind, named in DOCUMENT["components"].items() for name in named}
    schemes = {name for name in components if name.startswith("#/components/securitySchemes/")}
    assert set(REFERENCES) == components - schemes


def test_tags_are_described_and_in_the_order_of_use() -> None:
    described = [tag["name"] for tag in DOCUMENT["tags"]]
    assert list(dict.fromkeys(tag for one in operations() for tag in one["tags"])) == described


def test_every_operation_has_a_summary_and_a_description() -> None:
    for one in operations():
        assert 5 < len(one["summary"]) <= 120
        assert one["description"]


def test_no_description_repeats_its_summary() -> None:
    assert [one["operationId"] for one in operations() if one["summary"] in one["description"]] == []


def test_first_sentence_is_the_summary_and_the_rest_the_description() -> None:
    declared, documented = BY_LINE["POST /keys"].operation.description, operation("POST /keys")
    details = declared.removeprefix(f"{documented['summary']}.").strip()
    assert "." not in documented["summary"]
    assert documented["description"].startswith(details)
    assert len(details) < len(declared)


def test_texts_have_no_internal_references_or_markup() -> None:
    assert not re.search(r"decisions \d|Raises |``", TEXT)


def test_route_without_an_example_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(build_document.__globals__["EXAMPLES"], ("GET", "/events"))
    with pytest.raises(KeyError, match="/events"):
        build_document(ROUTES)


def test_every_error_is_documented_with_its_status() -> None:
    documented = {
        (code, response["description"].partition(".")[0])
        for response in DOCUMENT["components"]["responses"].values()
        for code in response["x-error-codes"]
    }
    phrases = {
        400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
        429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable",
    }  # fmt: skip
    expected = errors.COMMON_ERRORS.union(*(route.operation.raises for route in ROUTES))
    assert documented == {(kind.code, phrases[kind.status]) for kind in expected}


def test_every_error_response_has_the_shared_schema() -> None:
    responses = DOCUMENT["components"]["responses"].values()
    assert {response["content"]["application/json"]["schema"]["$ref"] for response in responses} == {
        "#/components/schemas/Error"
    }
    assert schema("Error")["required"] == ["success", "error", "code"]


def test_license_and_contact_are_named() -> None:
    assert DOCUMENT["info"]["license"] == {"name": "Apache 2.0", "identifier": "Apache-2.0"}
    assert DOCUMENT["info"]["contact"]["url"].startswith("https://")
