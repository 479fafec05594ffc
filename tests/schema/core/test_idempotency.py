"""Idempotency keys as arguments of mutations."""

from tests.support.world import World

REPEATED = (
    "mutation($input: RegisterForEventInput!, $key: String)"
    "{ registerForEvent(input: $input, idempotencyKey: $key) { id code } }"
)


async def test_repeated_creation_with_an_idempotency_key_is_executed_once(world: World) -> None:
    caller = await world.user_key()
    event = await world.event(await world.organizer())
    answers = [await caller.graphql(REPEATED, input={"eventId": event.id}, key="k1") for _ in range(2)]
    assert answers[0]["data"]["registerForEvent"]["code"]
    assert answers[0] == answers[1]
    other = await caller.graphql(REPEATED, input={"eventId": event.id, "note": "x"}, key="k1")
    assert other["errors"][0]["extensions"]["code"] == "IDEMPOTENCY_MISMATCH"


async def test_repetition_is_marked_in_the_headers(world: World) -> None:
    caller = await world.user_key()
    event = await world.event(await world.organizer())
    answers = [await caller.graphql_response(REPEATED, input={"eventId": event.id}, key="k1") for _ in range(2)]
    assert [answer.headers.get("Idempotency-Replayed") for answer in answers] == [None, "true"]


async def test_rest_and_graphql_share_idempotency_keys(world: World) -> None:
    caller = await world.user_key()
    event = await world.event(await world.organizer())
    over_rest = await caller.post("/tickets", {"event_id": event.id}, Idempotency_Key="k1")
    answer = await caller.graphql(REPEATED, input={"eventId": event.id}, key="k1")
    assert answer["data"]["registerForEvent"]["code"] == over_rest.json()["data"]["code"]


async def test_answers_nested_too_deeply_to_compare_are_rejected(world: World) -> None:
    caller = await world.user_key()
    event = await world.event(await world.organizer())
    deep: object = 1
    for _ in range(400):
        deep = {"a": deep}
    answer = await caller.graphql(REPEATED, input={"eventId": event.id, "customFields": {"a": deep}}, key="k1")
    assert answer["errors"][0]["extensions"]["fields"].keys() == {"customFields.a"}
