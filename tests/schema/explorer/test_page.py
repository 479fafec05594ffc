"""Serving GraphiQL at ``/graphql``: who gets it, its policy, its parts."""

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


async def opened(http: httpx.AsyncClient) -> httpx.Response:
    answer = await http.get("/graphql", headers=BROWSER)
    assert answer.status_code == 200
    return answer


def addresses(html: str) -> list[str]:
    """What the page loads."""
    return re.findall(r'(?:src|href)="([^"]+)"', html)


def policy(answer: httpx.Response) -> dict[str, str]:
    return dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))


async def test_browsers_get_a_page(http: httpx.AsyncClient) -> None:
    answer = await opened(http)
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
async def test_who_does_not_ask_for_html_gets_graphql(http: httpx.AsyncClient, accepted: str) -> None:
    answer = await http.get("/graphql", headers={"Accept": accepted})
    assert "json" in answer.headers["Content-Type"]
    assert answer.json()["errors"]


async def test_what_is_to_be_executed_is_executed_in_a_browser_as_well(http: httpx.AsyncClient) -> None:
    answer = await http.get("/graphql", params={"query": "{ __typename }"}, headers=BROWSER)
    assert answer.json()["data"] == {"__typename": "Query"}
    answer = await http.get("/graphql", params={"extensions": "{}"}, headers=BROWSER)
    assert answer.headers["Content-Type"].startswith("application/json")


async def test_html_is_no_answer_to_a_post(world: World) -> None:
    answer = await world.http.post("/graphql", json={"query": "{ __typename }"}, headers=BROWSER)
    assert answer.json()["data"] == {"__typename": "Query"}


async def test_head_answers_like_get(http: httpx.AsyncClient) -> None:
    got, head = await opened(http), await http.head("/graphql", headers=BROWSER)
    assert head.status_code == 200
    for name in ("Content-Type", "Content-Length", "Cache-Control"):
        assert head.headers[name] == got.headers[name]


async def test_page_may_load_and_call_nothing_but_this_origin(http: httpx.AsyncClient) -> None:
    answer = await opened(http)
    allowed = policy(answer)
    assert allowed["default-src"] == "'none'"
    assert allowed["connect-src"] == "'self'"
    assert allowed["frame-ancestors"] == allowed["base-uri"] == allowed["form-action"] == "'none'"
    for risk in ("unsafe", "http", "*"):
        assert risk not in answer.headers["Content-Security-Policy"]


async def test_every_page_has_a_nonce_of_its_own(http: httpx.AsyncClient) -> None:
    first, second = policy(await opened(http)), policy(await opened(http))
    assert re.fullmatch(r"'nonce-[\w-]{22}'", first["script-src"])
    assert first["script-src"] == first["style-src"] != second["script-src"]


async def test_scripts_and_styles_carry_the_nonce_and_no_text_is_a_script(http: httpx.AsyncClient) -> None:
    answer = await opened(http)
    nonce = policy(answer)["script-src"].removeprefix("'nonce-").removesuffix("'")
    loading = re.findall(r"<(?:script src|link rel=\"stylesheet\" href)=[^>]*>", answer.text)
    assert len(loading) == len(ASSETS.files) - 1  # the icon needs none
    assert all(f' nonce="{nonce}">' in tag for tag in loading)
    inline = re.findall(r"<script(?![^>]*\ssrc=)([^>]*)>", answer.text)
    assert inline == [' id="operations" type="application/json"']
    assert not re.search(r"\son\w+=|\sstyle=|javascript:", answer.text.split("<script")[0])


async def test_page_is_not_kept_framed_or_told_of(http: httpx.AsyncClient) -> None:
    headers = (await opened(http)).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Vary"] == "Accept"


async def test_operations_cannot_end_their_script(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = ExampleOperation(
        query="</script><script>steal()</script><!-- ${nonce}", variables="", provides={}, offers={}
    )
    monkeypatch.setattr(page, "example_operations", lambda _now: [hostile])
    html = (await opened(http)).text
    assert "steal" not in re.sub(r'<script id="operations".*?</script>', "", html)
    [written] = re.findall(r'<script id="operations" type="application/json">(.*?)</script>', html)
    assert json.loads(written)[0]["query"] == hostile.query


async def test_everything_that_it_loads_is_there_and_may_be_kept_for_ever(http: httpx.AsyncClient) -> None:
    loaded = addresses((await opened(http)).text)
    assert len(loaded) == len(ASSETS.files)
    for address in loaded:
        answer = await http.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["of-yesterday/graphiql.js", "of-yesterday/manifest.json", "%2e%2e/page.py", ""])
async def test_unknown_part_is_404(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(f"/graphql/assets/{path}")).status_code == 404


async def test_parts_can_only_be_read(http: httpx.AsyncClient) -> None:
    [address] = [one for one in addresses((await opened(http)).text) if one.endswith("/start.js")]
    assert (await http.post(address)).status_code == 405


async def test_page_and_parts_are_for_everybody_and_cost_nothing(world: World, configure: Callable[..., None]) -> None:
    configure(rate_limit_anonymous=1)
    for headers in ({**BROWSER, "Authorization": "Bearer ae_u_wrong"}, BROWSER, BROWSER):
        page = await world.http.get("/graphql", headers=headers)
        assert page.status_code == 200
        assert not any(name.startswith("x-ratelimit") for name in page.headers)
        assert (await world.http.get(ASSETS.urls["start"], headers=headers)).status_code == 200
    answers = [(await world.anonymous.graphql_response("{ __typename }")).status_code for _ in range(2)]
    assert answers == [200, 429]


async def test_index_names_it_and_leads_browsers_to_it(http: httpx.AsyncClient) -> None:
    for accepted in ("*/*", "application/json", ""):
        answer = await http.get("/", headers={"Accept": accepted})
        assert (answer.json()["graphiql"], answer.headers["Vary"]) == ("/graphql", "Accept")
    led = await http.get("/", headers=BROWSER)
    assert (led.status_code, led.headers["Location"], led.headers["Vary"]) == (307, "/graphql", "Accept")
    assert led.headers["Cache-Control"] == "no-store"


async def test_browser_finds_an_icon_for_what_is_no_page(http: httpx.AsyncClient) -> None:
    answer = await http.get("/favicon.ico")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/svg+xml")
    assert answer.text.startswith("<svg")


async def test_switched_off_nothing_of_it_is_there(app: Starlette, deployment: Settings) -> None:
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
