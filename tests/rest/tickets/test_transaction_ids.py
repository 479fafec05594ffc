"""Transaction IDs of tickets: their two names, what is shown, and what is accepted (decisions 6.6).

How often a transaction pays is in ``test_concurrent_payments`` and, on both surfaces, in ``tests/contract``.
"""

from typing import Any

import pytest

from tests.rest.conftest import Stage
from tests.support.rest_answers import data_of, refused
from tests.support.world import World


@pytest.mark.parametrize(
    "names",
    [
        {"transaction_id": "8n7a-6b"}, {"transid": " 8n7a-6b "}, {"transaction_id": "8n7a-6b", "transid": "TXN8N7A6B"},
        {"transaction_id": "8n7a-6b", "transid": ""}, {"transaction_id": None, "transid": "8n7a-6b"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_both_names_are_accepted_and_answered_with_what_was_typed(
    world: World, stage: Stage, method: str, names: dict[str, Any]
) -> None:
    if method == "POST":
        shown = data_of(await stage.organizer.post("/tickets", {"event_id": stage.event.id, **names}), 201)
    else:
        ticket = await world.ticket(stage.event, stage.buyer_account)
        shown = data_of(await stage.organizer.put(f"/tickets/{ticket.id}", names))
    assert (shown["transaction_id"], shown["transid"]) == ("8n7a-6b", "8n7a-6b")
    [listed] = data_of(await stage.organizer.get("/tickets", event_id=stage.event.id))
    assert (listed["transaction_id"], listed["transid"]) == ("8n7a-6b", "8n7a-6b")


async def test_different_ids_under_the_two_names_are_refused(world: World, stage: Stage) -> None:
    names = {"transaction_id": "8N7A6B", "transid": "8N7A6C"}
    ticket = await world.ticket(stage.event, stage.buyer_account)
    created = stage.organizer.post("/tickets", {"event_id": stage.event.id, **names})
    assert set(await refused(created, 400, "VALIDATION_ERROR")) == {"transid"}
    assert set(await refused(stage.organizer.put(f"/tickets/{ticket.id}", names), 400, "VALIDATION_ERROR")) == {
        "transid"
    }


@pytest.mark.parametrize("name", ["transaction_id", "transid"])
async def test_null_clears_the_transaction_id(world: World, stage: Stage, name: str) -> None:
    ticket = await world.ticket(stage.event, stage.buyer_account, transaction_id="8N7A6B")
    cleared = data_of(await stage.organizer.put(f"/tickets/{ticket.id}", {name: None}))
    assert (cleared["transaction_id"], cleared["transid"]) == (None, None)


async def test_duplicate_is_refused_by_the_name_of_the_field(world: World, stage: Stage) -> None:
    await world.ticket_type(stage.event, price="500")
    body = {"event_id": stage.event.id, "transid": "8N7A6B"}
    data_of(await stage.buyer.post("/tickets", body), 201)
    assert set(await refused(stage.buyer.post("/tickets", body), 400, "DUPLICATE_TRANSACTION")) == {"transaction_id"}


async def test_several_tickets_can_have_no_transaction_id(world: World, stage: Stage) -> None:
    await world.ticket_type(stage.event, price="500")
    for _ in range(3):
        data_of(await stage.buyer.post("/tickets", {"event_id": stage.event.id}), 201)


@pytest.mark.parametrize("accepted", ["BK 1", "বিকাশ-৯", "TrxID", "8" * 255])
async def test_latin_and_bangla_letters_and_digits_are_accepted(stage: Stage, accepted: str) -> None:
    body = {"event_id": stage.event.id, "transaction_id": accepted, "amount": 5}
    assert data_of(await stage.buyer.post("/tickets", body), 201)["transaction_id"] == accepted


# The last ones look like Latin letters, but are those of other scripts or have a mark.
@pytest.mark.parametrize(
    "invalid", ["-", "…", "8" * 256, "ﷺ" * 100, "8N\x007A", 12345, "\u0412K1", "8\u039d7", "8N7E\u0301"]
)
async def test_invalid_transaction_id_is_refused(stage: Stage, invalid: object) -> None:
    body = {"event_id": stage.event.id, "transaction_id": invalid}
    assert set(await refused(stage.buyer.post("/tickets", body), 400, "VALIDATION_ERROR")) == {"transaction_id"}
