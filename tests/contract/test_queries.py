"""Every query parameter of every list, with the valid and invalid values of the table in ``queries``."""

from collections.abc import Awaitable, Callable
from string import Template

import httpx
import pytest

from tests.contract.access import Row
from tests.contract.access_table import ROWS
from tests.contract.kinds import BLANK
from tests.contract.operations import input_fields, operation_of
from tests.contract.queries import QUERIES
from tests.contract.scene import Scene
from tests.support.rest_answers import error_in
from tests.support.tables import check_rows

EVERY_LIST = pytest.mark.parametrize("path", QUERIES)


def _named(response: httpx.Response) -> set[str]:
    """Return the parameters that a validation error names."""
    return set(error_in(response, 400, "VALIDATION_ERROR"))


async def _list_requester(scene: Scene, path: str) -> Callable[[str, str], Awaitable[httpx.Response]]:
    """Return a function that requests a list with one parameter, as an admin, who may see every list."""
    caller = await scene.caller("admin's session")
    values = await scene.values(Row("GET", path, "", "", ""), caller)

    async def get_list(name: str, value: str) -> httpx.Response:
        query = {name: Template(value).safe_substitute(values)}
        return await caller.get(Template(path).substitute(values), **query)

    return get_list


@EVERY_LIST
async def test_an_invalid_value_is_refused_and_its_parameter_named(scene: Scene, path: str) -> None:
    get_list = await _list_requester(scene, path)
    for name, kind in QUERIES[path].items():
        for value in kind.invalid:
            assert _named(await get_list(name, value)) == {name}, value


@EVERY_LIST
async def test_a_valid_value_is_accepted(scene: Scene, path: str) -> None:
    get_list = await _list_requester(scene, path)
    for name, kind in QUERIES[path].items():
        for value in (*kind.valid, *BLANK):
            assert (await get_list(name, value)).status_code == 200, value


@EVERY_LIST
async def test_an_unknown_parameter_is_ignored(scene: Scene, path: str) -> None:
    get_list = await _list_requester(scene, path)
    assert (await get_list("colour", "red")).json() == (await get_list("page", "1")).json()


@EVERY_LIST
async def test_all_invalid_parameters_are_named_at_once(scene: Scene, path: str) -> None:
    invalid = {name: kind.invalid[0] for name, kind in QUERIES[path].items()}
    caller = await scene.caller("admin's session")
    target = Template(path).substitute(await scene.values(Row("GET", path, "", "", ""), caller))
    assert _named(await caller.get(target, **invalid)) == invalid.keys()


def test_the_table_has_every_parameter_of_every_paged_list() -> None:
    parameters = {
        row.path: input_fields(operation_of("GET", row.contract_path))
        for row in ROWS
        if row.method == "GET" and "?" not in row.path and "$secret" not in row.path
    }
    paged = {path: names for path, names in parameters.items() if "page" in names}
    check_rows("tests/contract/queries.py, QUERIES", QUERIES, paged)
    for path, names in paged.items():
        check_rows(f"tests/contract/queries.py, QUERIES[{path!r}]", QUERIES[path], names)


@pytest.mark.parametrize("value", [None, "", "0", "-1", "x", "9" * 40])
async def test_ticket_types_are_listed_only_for_an_event(scene: Scene, value: str | None) -> None:
    """``event_id`` is required (decisions 6.3)."""
    query = {} if value is None else {"event_id": value}
    assert _named(await scene.world.anonymous.get("/ticket-types", **query)) == {"event_id"}
