"""``/openapi.json``."""

import httpx
import pytest

from tests.rest.openapi.reading import DOCUMENT


async def test_the_document_is_served_to_everybody(http: httpx.AsyncClient) -> None:
    answer = await http.get("/openapi.json")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json() == DOCUMENT


async def test_its_head_is_that_of_the_document(http: httpx.AsyncClient) -> None:
    whole, head = await http.get("/openapi.json"), await http.head("/openapi.json")
    assert head.content == b""
    assert head.headers == whole.headers


@pytest.mark.parametrize("form", ["{}", "W/{}", '"another", {}', "*"])
async def test_who_has_it_already_is_told_so(http: httpx.AsyncClient, form: str) -> None:
    tag = (await http.get("/openapi.json")).headers["ETag"]
    answer = await http.get("/openapi.json", headers={"If-None-Match": form.format(tag)})
    assert (answer.status_code, answer.content) == (304, b"")
    assert (answer.headers["ETag"], answer.headers["Cache-Control"]) == (tag, "no-cache")


async def test_who_has_another_version_is_given_this_one(http: httpx.AsyncClient) -> None:
    assert (await http.get("/openapi.json", headers={"If-None-Match": '"another"'})).status_code == 200


async def test_it_can_only_be_read(http: httpx.AsyncClient) -> None:
    assert (await http.post("/openapi.json")).status_code == 405


async def test_the_index_names_it(http: httpx.AsyncClient) -> None:
    index = (await http.get("/")).json()
    assert (index["openapi"], index["docs"]) == ("/openapi.json", "/docs")


async def test_it_leads_to_graphql(http: httpx.AsyncClient) -> None:
    assert "[GraphQL](/graphql)" in (await http.get("/openapi.json")).json()["info"]["description"]
