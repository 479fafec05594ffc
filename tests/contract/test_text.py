"""Text that people spell in several ways, on both surfaces: what is equal, and what is refused (decisions 1.11)."""

from typing import Any

import argon2
import pytest

from amarevents.models import Event, User
from amarevents.models.enums import FieldType, KeyType
from amarevents.text import nfc
from tests.contract.operations import camel
from tests.support.world import Caller, World

# Any throughout: JSON.

ACCOUNT = {"username": "Rokeya", "email": "k@bücher.example", "password": "গোপন শব্দ ১", "number": "01700000000"}
YA, YA_IN_TWO = "\u09df", "\u09af\u09bc"
FIELDS = {"createEvent": "id name banner", "register": "id username number", "login": "id username"}


class Surface:
    """The same operations over REST or over GraphQL. They return the answer, or the code of the error."""

    def __init__(self, name: str) -> None:
        self.on_rest = name == "REST"

    async def create(self, caller: Caller, path: str, mutation: str, body: dict[str, Any]) -> Any:
        if self.on_rest:
            return _answer((await caller.post(path, body)).json())
        kind = f"{mutation[0].upper()}{mutation[1:]}Input"
        document = f"mutation($input: {kind}!) {{ {mutation}(input: $input) {{ {FIELDS.get(mutation, 'id')} }} }}"
        return await self._execute(caller, document, input={camel(name): value for name, value in body.items()})

    async def register(self, caller: Caller, **changes: str) -> Any:
        return await self.create(caller, "/auth/register", "register", {**ACCOUNT, **changes})

    async def login(self, caller: Caller, email: str, password: str) -> Any:
        return await self.create(caller, "/auth/login", "login", {"email": email, "password": password})

    async def search(self, caller: Caller, path: str, field: str, text: str) -> list[str]:
        """Return the names in a list that is searched for a text."""
        if self.on_rest:
            rows = _answer((await caller.get(path, search=text)).json())
        else:
            name = "username" if field == "users" else "name"
            document = f"query($text: String) {{ {field}(search: $text) {{ items {{ {name} }} }} }}"
            rows = (await self._execute(caller, document, text=text))["items"]
        return [row.get("username") or row["name"] for row in rows]

    async def _execute(self, caller: Caller, document: str, **variables: Any) -> Any:
        answer = await caller.graphql(document, **variables)
        if "errors" in answer:
            return answer["errors"][0]["extensions"]["code"]
        [value] = answer["data"].values()
        return value


def _answer(body: dict[str, Any]) -> Any:
    return body["data"] if body["success"] else body["code"]


@pytest.mark.parametrize("count", [3, 201, 5_000])
async def test_more_answers_than_options_are_refused(world: World, surface: Surface, count: int) -> None:
    event = await world.event(await world.organizer())
    await world.custom_field(event, "বাড়ি", type=FieldType.CHECKBOX, options=[YA_IN_TWO, "M"])
    body = {"event_id": event.id, "custom_fields": {"বাড়ি": ["m"] * count}}
    assert await surface.create(await world.user_key(), "/tickets", "registerForEvent", body) == "VALIDATION_ERROR"


@pytest.fixture(params=["REST", "GraphQL"])
def surface(request: pytest.FixtureRequest) -> Surface:
    return Surface(request.param)


# Accounts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("taken", "other"),
    [
        (f"জ{YA}নাল", f"জ{YA_IN_TWO}নাল"),
        ("আলোক ১২", "আলোক 12"),
        ("কলম", "ক\u200dলম"),
        ("Rokeya", "ＲＯＫＥＹＡ"),
        ("উৎসব", "উত্\u200dসব"),
    ],
)
async def test_usernames_that_look_alike_are_one(world: World, surface: Surface, taken: str, other: str) -> None:
    assert (await surface.register(world.anonymous, username=taken))["username"] == nfc(taken)
    assert await surface.register(world.anonymous, username=other, email="o@example.com") == "USERNAME_TAKEN"


async def test_usernames_that_look_different_are_two(world: World, surface: Surface) -> None:
    await surface.register(world.anonymous, username="র\u200d্যাব")
    await surface.register(world.anonymous, username="র্যাব", email="o@example.com")
    assert await User.all().count() == 2


@pytest.mark.parametrize("email", ["K@xn--bcher-kva.example", "k@BÜCHER.example", "ｋ@bu\u0308cher.example"])
async def test_both_forms_of_a_domain_are_one_mailbox(world: World, surface: Surface, email: str) -> None:
    created = await surface.register(world.anonymous)
    assert await surface.register(world.anonymous, username="Other", email=email) == "EMAIL_TAKEN"
    assert (await surface.login(world.anonymous, email, ACCOUNT["password"]))["id"] == created["id"]


async def test_tickets_of_both_forms_of_an_email_are_the_accounts(world: World, surface: Surface) -> None:
    event = await world.event(await world.organizer())
    reader = await world.user(email="k@bücher.example", email_confirmed_at=event.created_at)
    ticket = await world.ticket(event, await world.user(), email="k@xn--bcher-kva.example")
    assert await _own_tickets(surface, await world.key(reader)) == [ticket.id]


async def test_ticket_belongs_to_the_mailbox_of_its_changed_email(world: World, surface: Surface) -> None:
    owner = await world.organizer()
    event = await world.event(owner)
    reader = await world.key(await world.user(email="k@bücher.example", email_confirmed_at=event.created_at))
    ticket = await world.ticket(event, await world.user())
    assert await _own_tickets(surface, reader) == []
    organizer = await world.key(owner, KeyType.ORGANIZER)
    assert (await organizer.put(f"/tickets/{ticket.id}", {"email": "K@xn--bcher-kva.example"})).status_code == 200
    assert await _own_tickets(surface, reader) == [ticket.id]


async def _own_tickets(surface: Surface, caller: Caller) -> list[int]:
    if surface.on_rest:
        rows = _answer((await caller.get("/users/me/tickets")).json())
    else:
        rows = (await caller.graphql("{ myTickets { items { id } } }"))["data"]["myTickets"]["items"]
    return [int(row["id"]) for row in rows]


@pytest.mark.parametrize("entered", ["গোপন শব্দ ১", "গোপন\u00a0শব্দ\u3000১"])
async def test_password_can_be_entered_on_any_keyboard(world: World, surface: Surface, entered: str) -> None:
    await surface.register(world.anonymous, password=f"{YA}{ACCOUNT['password']}")
    assert "id" in await surface.login(world.anonymous, ACCOUNT["email"], f"{YA_IN_TWO}{entered}")
    assert await surface.login(world.anonymous, ACCOUNT["email"], f"{YA}গোপন শব্দ 1") == "INVALID_CREDENTIALS"


async def test_older_hash_is_of_the_password_as_it_was_entered_and_is_renewed(world: World, surface: Surface) -> None:
    old = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(f"secret{YA}")
    user = await world.user(password_hash=old)
    assert await surface.login(world.anonymous, user.email, f"secret{YA_IN_TWO}") == "INVALID_CREDENTIALS"
    for entered in (f"secret{YA}", f"secret{YA_IN_TWO}"):
        assert "id" in await surface.login(world.anonymous, user.email, entered)
    assert (await User.get(id=user.id)).password_hash != old


# Names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["\u200b\u200b", "\u3164", "\u2800", "\u200d", "evil\u202egnp", "\u2066abc\u2069", "abc\u200f!"]
)
async def test_names_that_hide_or_turn_round_are_refused(world: World, surface: Surface, name: str) -> None:
    owner = await world.organizer()
    organization = await world.organization(owner)
    event = await world.event(organization)
    organizer = await world.key(owner, KeyType.ORGANIZER)
    body = {"organization_id": organization.id, "name": name}
    assert await surface.create(organizer, "/events", "createEvent", body) == "VALIDATION_ERROR"
    body = {"event_id": event.id, "name": name}
    assert await surface.create(organizer, "/ticket-types", "createTicketType", body) == "VALIDATION_ERROR"
    assert await surface.create(organizer, "/tickets", "registerForEvent", body) == "VALIDATION_ERROR"
    assert await surface.register(world.anonymous, username=f"{name}   "[:50]) == "VALIDATION_ERROR"


async def test_names_are_stored_in_their_normal_form(world: World, surface: Surface) -> None:
    owner = await world.organizer()
    organization = await world.organization(owner)
    organizer = await world.key(owner, KeyType.ORGANIZER)
    body = {"organization_id": organization.id, "name": f" বিজ{YA}\r\n", "banner": "/images/বিজ\u09df.png"}
    created = await surface.create(organizer, "/events", "createEvent", body)
    assert (created["name"], created["banner"]) == (f"বিজ{YA_IN_TWO}", f"/images/বিজ{YA_IN_TWO}.png")
    assert (await Event.get()).name == f"বিজ{YA_IN_TWO}"


@pytest.mark.parametrize("banner", ["//example.com/a.png", "/\\example.com", "images/a.png", "javascript:alert(1)"])
async def test_images_on_another_site_need_a_scheme(world: World, surface: Surface, banner: str) -> None:
    owner = await world.organizer()
    organization = await world.organization(owner)
    body = {"organization_id": organization.id, "name": "Mela", "banner": banner}
    organizer = await world.key(owner, KeyType.ORGANIZER)
    assert await surface.create(organizer, "/events", "createEvent", body) == "VALIDATION_ERROR"


# Search ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [f"বিজ{YA}", f"বিজ{YA_IN_TWO}", "র্যাব", "র\u200d্যাব", "১২", "12", "ঢাকা", " MELA\n"])
async def test_events_are_found_however_they_are_spelled(world: World, surface: Surface, text: str) -> None:
    name = f"বিজ{YA_IN_TWO} র\u200d্যাব ১২ Mela"
    await world.event(await world.organizer(), name=name, location="ঢা\u200dকা")
    assert await surface.search(world.anonymous, "/events", "events", text) == [name]
    assert await surface.search(world.anonymous, "/events", "events", f"{text.strip()} x") == []


@pytest.mark.parametrize(
    "text", ["০১৭১১-০০", "01711000000", "(01711) 000", "+880 1711", "\u202a01711\u202c", "xn--bcher", "BÜCHER"]
)
async def test_accounts_are_found_by_the_digits_of_their_number(world: World, surface: Surface, text: str) -> None:
    await world.user(username="found", number="+৮৮০ ১৭১১-০০০০০০", email="k@bücher.example")
    admin = await world.admin_key(username="boss", number="999")
    assert await surface.search(admin, "/admin/users", "users", text) == ["found"]


@pytest.mark.parametrize("number", ["+৮৮০ ১৭১১-০০০০০০", "\u202a(880) 1711.000 000\u202c", "999", "1" * 20])
async def test_numbers_are_taken_as_people_write_them(world: World, surface: Surface, number: str) -> None:
    created = await surface.register(world.anonymous, number=number)
    assert created["number"] == number.strip("\u202a\u202c")


@pytest.mark.parametrize("number", ["12", "1" * 21, "phone 12345", "123\u200b\n456", "+"])
async def test_other_numbers_are_refused(world: World, surface: Surface, number: str) -> None:
    assert await surface.register(world.anonymous, number=number) == "VALIDATION_ERROR"


# Custom fields --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["বাড়ি ১", "বাড\u09bcি 1", "বা\u200dড়ি ১"])
@pytest.mark.parametrize("answer", [YA, YA_IN_TWO, f"{YA}\u200d "])
async def test_answers_are_compared_folded(world: World, surface: Surface, key: str, answer: str) -> None:
    event = await world.event(await world.organizer())
    await world.custom_field(event, nfc("বাড়ি ১"), type=FieldType.DROPDOWN, options=[YA_IN_TWO, "M"])
    buyer = await world.user_key()
    body = {"event_id": event.id, "custom_fields": {key: answer}}
    created = await surface.create(buyer, "/tickets", "registerForEvent", body)
    detail = _answer((await buyer.get(f"/tickets/{created['id']}")).json())
    assert [one["value"] for one in detail["custom_fields"]] == [YA_IN_TWO]
