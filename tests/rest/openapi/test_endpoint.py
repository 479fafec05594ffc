"""The endpoint ``/openapi.json``: content, caching and methods."""

from collections.abc import Callable

import httpx
import pytest

from tests.rest.openapi.document import DOCUMENT


async def test_document_is_public(http: httpx.AsyncClient) -> None:
    response = await http.get("/openapi.json")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    assert response.json() == {**DOCUMENT, "servers": [{"url": "http://testserver/api"}]}


async def test_address_of_the_server_is_that_of_the_request(http: httpx.AsyncClient) -> None:
    response = await http.get("/openapi.json", headers={"Host": "tickets.example:8443"})
    assert response.json()["servers"] == [{"url": "http://tickets.example:8443/api"}]
    assert response.headers["ETag"] != (await http.get("/openapi.json")).headers["ETag"]


async def test_address_of_the_server_is_the_public_url(http: httpx.AsyncClient, configure: Callable[..., None]) -> None:
    configure(public_url="https://tickets.example")
    response = await http.get("/openapi.json", headers={"Host": "10.0.0.7"})
    assert response.json()["servers"] == [{"url": "https://tickets.example/api"}]


async def test_head_has_the_headers_of_get(http: httpx.AsyncClient) -> None:
    whole, head = await http.get("/openapi.json"), await http.head("/openapi.json")
    assert head.content == b""
    assert head.headers == whole.headers


@pytest.mark.parametrize("form", ["W/{}", "{}", '"another", W/{}', "*"])
async def test_matching_etag_gets_304(http: httpx.AsyncClient, form: str) -> None:
    tag = (await http.get("/openapi.json")).headers["ETag"]
    response = await http.get("/openapi.json", headers={"If-None-Match": form.format(tag.removeprefix("W/"))})
    assert (response.status_code, response.content) == (304, b"")
    assert (response.headers["ETag"], response.headers["Cache-Control"]) == (tag, "no-cache")


async def test_other_etag_gets_the_document(http: httpx.AsyncClient) -> None:
    assert (await http.get("/openapi.json", headers={"If-None-Match": '"another"'})).status_code == 200


async def test_other_methods_are_not_allowed(http: httpx.AsyncClient) -> None:
    assert (await http.post("/openapi.json")).status_code == 405


async def test_index_links_to_the_document(http: httpx.AsyncClient) -> None:
    index = (await http.get("/")).json()
    assert (index["openapi"], index["docs"]) == ("/openapi.json", "/docs")


async def test_document_links_to_graphql(http: httpx.AsyncClient) -> None:
    assert "[GraphQL](/graphql)" in (await http.get("/openapi.json")).json()["info"]["description"]
