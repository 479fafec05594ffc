"""GraphiQL at ``/graphql``: content negotiation, the Content-Security-Policy, and static files."""

import dataclasses
import json
import re
from collections.abc import Callable

import httpx
import pytest
from starlette.applications import Starlette

from amarevents.app import create_app
from amarevents.schema.explorer import page
from amarevents.schema.explorer.operations import ExampleOperation
from amarevents.schema.explorer.page import ASSETS
from amarevents.settings import Settings
from tests.support.conformance import conforming_client
from tests.support.world import World

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"}


async def open_page(http: httpx.AsyncClient) -> httpx.Response:
    answer = await http.get("/graphql", headers=BROWSER)
    assert answer.status_code == 200
    return answer


def urls_in(html: str) -> list[str]:
    """Return the URLs that the page loads."""
    return re.findall(r'(?:src|href)="([^"]+)"', html)


def policy(answer: httpx.Response) -> dict[str, str]:
    return dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))


async def test_browser_gets_the_page(http: httpx.AsyncClient) -> None:
    answer = await open_page(http)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<title>Amar Events GraphQL</title>" in answer.text
    assert '<html lang="en">' in answer.text
    assert "<noscript>" in answer.text


@pytest.mark.parametrize(
    "accepted",
    [
        "*/*",
        "application/json",
        "application/graphql-response+json, application/json;q=0.9",
        "application/json, text/html",
        "text/html;q=0, */*",
        "text/*",
        "",
    ],
)
async def test_clients_that_do_not_accept_html_get_graphql(http: httpx.AsyncClient, accepted: str) -> None:
    answer = await http.get("/graphql", headers={"Accept": accepted})
    assert "json" in answer.headers["Content-Type"]
    assert answer.json()["errors"]


async def test_query_in_the_url_is_executed_in_a_browser(http: httpx.AsyncClient) -> None:
    answer = await http.get("/graphql", params={"query": "{ __typename }"}, headers=BROWSER)
    assert answer.json()["data"] == {"__typename": "Query"}
    answer = await http.get("/graphql", params={"extensions": "{}"}, headers=BROWSER)
    assert answer.headers["Content-Type"].startswith("application/json")


async def test_post_never_gets_html(world: World) -> None:
    answer = await world.http.post("/graphql", json={"query": "{ __typename }"}, headers=BROWSER)
    assert answer.json()["data"] == {"__typename": "Query"}


async def test_head_has_the_headers_of_get(http: httpx.AsyncClient) -> None:
    got, head = await open_page(http), await http.head("/graphql", headers=BROWSER)
    assert head.status_code == 200
    for name in ("Content-Type", "Content-Length", "Cache-Control"):
        assert head.headers[name] == got.headers[name]


async def test_policy_allows_only_this_origin(http: httpx.AsyncClient) -> None:
    answer = await open_page(http)
    directives = policy(answer)
    assert directives["default-src"] == "'none'"
    assert directives["connect-src"] == "'self'"
    assert directives["frame-ancestors"] == directives["base-uri"] == directives["form-action"] == "'none'"
    for risk in ("unsafe", "http", "*"):
        assert risk not in answer.headers["Content-Security-Policy"]


async def test_every_response_has_a_new_nonce(http: httpx.AsyncClient) -> None:
    first, second = policy(await open_page(http)), policy(await open_page(http))
    assert re.fullmatch(r"'nonce-[\w-]{22}'", first["script-src"])
    assert first["script-src"] == first["style-src"] != second["script-src"]


async def test_scripts_and_styles_have_the_nonce_and_none_are_inline(http: httpx.AsyncClient) -> None:
    answer = await open_page(http)
    nonce = policy(answer)["script-src"].removeprefix("'nonce-").removesuffix("'")
    tags = re.findall(r"<(?:script src|link rel=\"stylesheet\" href)=[^>]*>", answer.text)
    assert len(tags) == len(ASSETS.files) - 1  # the icon needs no nonce
    assert all(f' nonce="{nonce}">' in tag for tag in tags)
    inline = re.findall(r"<script(?![^>]*\ssrc=)([^>]*)>", answer.text)
    assert inline == [' id="operations" type="application/json"']
    assert not re.search(r"\son\w+=|\sstyle=|javascript:", answer.text.split("<script")[0])


async def test_page_cannot_be_cached_framed_or_leaked_as_referrer(http: httpx.AsyncClient) -> None:
    headers = (await open_page(http)).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Vary"] == "Accept"


async def test_operations_cannot_close_their_script_element(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = ExampleOperation(
        query="</script><script>steal()</script><!-- ${nonce}", variables="", provides={}, offers={}
    )
    monkeypatch.setattr(page, "example_operations", lambda _now: [hostile])
    html = (await open_page(http)).text
    assert "steal" not in re.sub(r'<script id="operations".*?</script>', "", html)
    [written] = re.findall(r'<script id="operations" type="application/json">(.*?)</script>', html)
    assert json.loads(written)[0]["query"] == hostile.query


async def test_files_that_the_page_loads_exist_and_can_be_cached_forever(http: httpx.AsyncClient) -> None:
    loaded = urls_in((await open_page(http)).text)
    assert len(loaded) == len(ASSETS.files)
    for address in loaded:
        answer = await http.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["of-yesterday/graphiql.js", "of-yesterday/manifest.json", "%2e%2e/page.py", ""])
async def test_unknown_file_is_404(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(f"/graphql/assets/{path}")).status_code == 404


async def test_files_are_read_only(http: httpx.AsyncClient) -> None:
    [address] = [one for one in urls_in((await open_page(http)).text) if one.endswith("/start.js")]
    assert (await http.post(address)).status_code == 405


async def test_page_and_files_are_public_and_not_rate_limited(world: World, configure: Callable[..., None]) -> None:
    configure(rate_limit_anonymous=1)
    for headers in ({**BROWSER, "Authorization": "Bearer ae_u_wrong"}, BROWSER, BROWSER):
        page = await world.http.get("/graphql", headers=headers)
        assert page.status_code == 200
        assert not any(name.startswith("x-ratelimit") for name in page.headers)
        assert (await world.http.get(ASSETS.urls["start"], headers=headers)).status_code == 200
    answers = [(await world.anonymous.graphql_response("{ __typename }")).status_code for _ in range(2)]
    assert answers == [200, 429]


async def test_index_links_the_page_and_redirects_browsers_to_it(http: httpx.AsyncClient) -> None:
    for accepted in ("*/*", "application/json", ""):
        answer = await http.get("/", headers={"Accept": accepted})
        assert (answer.json()["graphiql"], answer.headers["Vary"]) == ("/graphql", "Accept")
    redirect = await http.get("/", headers=BROWSER)
    assert (redirect.status_code, redirect.headers["Location"], redirect.headers["Vary"]) == (307, "/graphql", "Accept")
    assert redirect.headers["Cache-Control"] == "no-store"


async def test_default_icon_is_served(http: httpx.AsyncClient) -> None:
    answer = await http.get("/favicon.ico")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/svg+xml")
    assert answer.text.startswith("<svg")


async def test_page_and_files_are_absent_when_the_explorer_is_disabled(app: Starlette, deployment: Settings) -> None:
    without_explorer = deployment.model_copy(update={"graphql_explorer": False})
    without = create_app(without_explorer)
    services = app.state.services
    without.state.services = dataclasses.replace(services, settings=without_explorer)
    async with conforming_client(without) as http:
        answer = await http.get("/graphql", headers=BROWSER)
        assert answer.status_code == 400
        assert answer.headers["Content-Type"].startswith("application/json")
        assert (await http.get(ASSETS.urls["start"])).status_code == 404
        assert "graphiql" not in (await http.get("/")).json()
        assert (await http.get("/", headers=BROWSER)).headers["Location"] == "/docs"
