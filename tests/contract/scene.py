"""What the table of access is about: an owner, a holder of tickets, strangers, and their requests."""

import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from string import Template

from amarevents.models import Event, Ticket, User
from amarevents.models.enums import KeyType, Privacy
from tests.contract.access import Row
from tests.world import Caller, World

Given = Mapping[str, object]
Surface = Callable[[Row, Caller, Given], Awaitable[int]]
Request = Callable[[], Awaitable[int]]

KEY_TYPES = {
    "holder": KeyType.USER,
    "stranger": KeyType.USER,
    "owner": KeyType.ORGANIZER,
    "foreign": KeyType.ORGANIZER,
    "admin": KeyType.ADMIN,
}


async def over_rest(row: Row, caller: Caller, given: Given) -> int:
    """The status of the row's request over REST."""
    body, path = (Template(text).substitute(given) for text in (row.body, row.path))
    headers = caller.headers | ({"Content-Type": "application/json"} if body else {})
    response = await caller.http.request(row.method, f"/api{path}", content=body, headers=headers)
    assert response.json()["success"] is (response.status_code < 400)
    return response.status_code


async def over_graphql(row: Row, caller: Caller, given: Given) -> int:
    """The status that REST would have, of the row's request over GraphQL."""
    response = await caller.graphql_response(Template(row.graphql).substitute(given))
    if failures := response.json().get("errors"):
        status: int = failures[0]["extensions"]["status"]
        assert response.status_code in (200, status)
        return status
    return 201 if row.statuses.endswith("201") else 200


@dataclass
class Scene:
    """An owner with a public and a private event, a holder of tickets to both, and accounts without any part in it."""

    world: World
    owner: User
    holder: User
    stranger: User
    foreign: User
    admin: User
    event: Event
    secret: Event
    ticket: Ticket
    strangers_ticket: Ticket

    def __post_init__(self) -> None:
        self._unique = itertools.count()

    async def caller(self, name: str) -> Caller:
        """One of CALLERS."""
        if name == "nobody":
            return self.world.anonymous
        who, _, is_session = name.replace("'s session", " session").partition(" ")
        user: User = getattr(self, who)
        return await (self.world.session(user) if is_session else self.world.key(user, KEY_TYPES[who]))

    async def request(self, surface: Surface, row: Row, caller: Caller) -> Request:
        """The row's request, to be sent later: all that it needs is there when this returns."""
        given = await self._given(caller)
        return lambda: surface(row, caller, given)

    async def _given(self, caller: Caller) -> Given:
        """What a row's ``$names`` stand for; each account has a weak key of its own that it may do away with."""
        own_key = await self.world.key(caller.user or self.holder, permissions=[])
        others_key = await self.world.key(await self.world.user(), permissions=[])
        assert own_key.key
        assert others_key.key
        return {
            "event": self.event.id,
            "secret": self.secret.id,
            "organization": self.event.organization_id,
            "ticket": self.ticket.id,
            "strangers_ticket": self.strangers_ticket.id,
            "holder": self.holder.id,
            "email": self.holder.email,
            "own_key": own_key.key.id,
            "others_key": others_key.key.id,
            "unique": next(self._unique),
        }


async def make_scene(world: World, *, password_hash: str) -> Scene:
    """``password_hash``: of the holder."""
    owner = await world.organizer()
    holder = await world.user(password_hash=password_hash)
    event = await world.event(owner)
    secret = await world.event(owner, privacy=Privacy.PRIVATE)
    await world.ticket(secret, holder)
    return Scene(
        world=world,
        owner=owner,
        holder=holder,
        stranger=await world.user(),
        foreign=await world.organizer(),
        admin=await world.admin(),
        event=event,
        secret=secret,
        ticket=await world.ticket(event, holder),
        strangers_ticket=await world.ticket(event, await world.user()),
    )
