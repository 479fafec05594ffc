"""What every operation that writes changes in the answers that are kept for anonymous callers: all that it changes."""

import httpx
import pytest
from starlette.applications import Starlette

from amarevents.infra.versions import Versions
from tests.contract.access import Row
from tests.contract.scene import Scene, send_over_graphql, send_over_rest
from tests.contract.test_changes import WIDER_REQUESTS, WRITING, add_parts
from tests.support.kept_answers import keep_answers

_EVENT = """
  id name notice socials { type } wallets registrationOpen location privacy date
  ticketTypes { id name price capacity sold available isAvailable }
  customFields { id name position options required }
  gallery { id url caption position }
"""
_ORGANIZATION = "id name description notice plan publicEventCount"
QUERIES = (
    f"{{ events(limit: 10) {{ items {{ {_EVENT} organization {{ {_ORGANIZATION} }} }} pagination {{ total }} }} }}",
    f"{{ organizations(limit: 3) {{ items {{ {_ORGANIZATION} events(limit: 3) {{ items {{ {_EVENT} }} }} }} }} }}",
)


async def read_all(scene: Scene) -> list[str]:
    """Return what anonymous callers see of the event, of the lists and of the organization."""
    event_id = scene.event.id
    paths = (
        *("/api/events", "/api/organizations", f"/api/organizations/{scene.event.organization_id}"),
        *(f"/api/events/{event_id}", f"/api/events/{event_id}/fields", f"/api/events/{event_id}/gallery"),
        f"/api/ticket-types?event_id={event_id}",
    )
    http = scene.world.http
    rest = [await http.get(path) for path in paths]
    graphql = [await http.post("/graphql", json={"query": query}) for query in QUERIES]
    assert not [response.json()["errors"] for response in graphql if "errors" in response.json()]
    return [_content(response) for response in (*rest, *graphql)]


def _content(response: httpx.Response) -> str:
    return f"{response.status_code} {response.text}"


@pytest.mark.parametrize("row", [*WRITING, *WIDER_REQUESTS], ids=lambda row: f"{row.name} {row.body}")
async def test_a_write_changes_all_kept_answers_that_show_it(scene: Scene, app: Starlette, row: Row) -> None:
    keep_answers(app)
    await add_parts(scene)
    caller = await scene.caller("admin's session")
    send = await scene.request(send_over_rest if row.path else send_over_graphql, row, caller)
    await read_all(scene)
    assert await send() < 300
    kept = await read_all(scene)
    keep_answers(app, seconds=0)
    assert kept == await read_all(scene)


@pytest.mark.parametrize("is_recorded", [True, False], ids=["recorded", "control"])
async def test_what_is_not_recorded_would_be_kept(
    scene: Scene, app: Starlette, monkeypatch: pytest.MonkeyPatch, is_recorded: bool
) -> None:
    if not is_recorded:
        monkeypatch.setattr(Versions, "record", lambda *_arguments: None)
    keep_answers(app)
    await add_parts(scene)
    before = await read_all(scene)
    admin = await scene.caller("admin")
    assert (await admin.delete(f"/events/{scene.event.id}")).status_code == 200
    kept = await read_all(scene)
    changed = [old != new for old, new in zip(before, kept, strict=True)]
    assert changed == [is_recorded] * len(changed)
