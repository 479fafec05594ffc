"""Every query parameter of every list, with values that fit and values that do not, against a typed table."""

from collections.abc import Awaitable, Callable
from string import Template

import httpx
import pytest

from tests.contract.access import Row
from tests.contract.kinds import BLANK
from tests.contract.queries import QUERIES
from tests.contract.scene import Scene
from tests.support.rest_answers import error_in

EVERY_LIST = pytest.mark.parametrize("path", QUERIES)


def _named(response: httpx.Response) -> set[str]:
    """The parameters that a validation error names."""
    return set(error_in(response, 400, "VALIDATION_ERROR"))


async def _asking(scene: Scene, path: str) -> Callable[[str, str], Awaitable[httpx.Response]]:
    """Asks for a list with one parameter, as an admin in a session, who may see every list."""
    caller = await scene.caller("admin's session")
    given = await scene.given(Row("GET", path, "", "", ""), caller)

    async def ask(name: str, value: str) -> httpx.Response:
        query = {name: Template(value).safe_substitute(given)}
        return await caller.get(Template(path).substitute(given), **query)

    return ask


@EVERY_LIST
async def test_what_does_not_fit_a_parameter_is_refused_by_its_name(scene: Scene, path: str) -> None:
    ask = await _asking(scene, path)
    for name, kind in QUERIES[path].items():
        for value in kind.unfit:
            assert _named(await ask(name, value)) == {name}, value


@EVERY_LIST
async def test_what_fits_a_parameter_is_taken(scene: Scene, path: str) -> None:
    ask = await _asking(scene, path)
    for name, kind in QUERIES[path].items():
        for value in (*kind.fit, *BLANK):
            assert (await ask(name, value)).status_code == 200, value


@EVERY_LIST
async def test_an_unknown_parameter_is_ignored(scene: Scene, path: str) -> None:
    ask = await _asking(scene, path)
    assert (await ask("colour", "red")).json() == (await ask("limit", "20")).json()


@EVERY_LIST
async def test_all_unfit_parameters_are_named_at_once(scene: Scene, path: str) -> None:
    unfit = {name: kind.unfit[0] for name, kind in QUERIES[path].items()}
    caller = await scene.caller("admin's session")
    target = Template(path).substitute(await scene.given(Row("GET", path, "", "", ""), caller))
    assert _named(await caller.get(target, **unfit)) == unfit.keys()


@pytest.mark.parametrize("value", [None, "", "0", "-1", "x", "9" * 40])
async def test_ticket_types_are_listed_for_an_event(scene: Scene, value: str | None) -> None:
    """decisions 6.3"""
    query = {} if value is None else {"event_id": value}
    assert _named(await scene.world.anonymous.get("/ticket-types", **query)) == {"event_id"}
