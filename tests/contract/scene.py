"""What the table of access is about: an owner, a holder of tickets, strangers, and their requests."""

import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from string import Template

from tortoise.models import Model

from amarevents.models import CheckIn, CustomField, Donation, Event, GalleryImage, Ticket, User
from amarevents.models.enums import KeyType, PaymentMethod, Privacy, TicketStatus
from tests.contract.access import Row
from tests.support.world import Caller, World

Given = Mapping[str, object]
Surface = Callable[[Row, Caller, Given], Awaitable[int]]
Request = Callable[[], Awaitable[int]]

PASSWORD = "secret123"  # the holder's
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
        given = await self.given(row, caller)
        return lambda: surface(row, caller, given)

    async def given(self, row: Row, caller: Caller) -> Given:
        """What the row's ``$names`` stand for: made for this caller alone where the request may do away with it."""
        given: dict[str, object] = {
            "event": self.event.id,
            "secret": self.secret.id,
            "organization": self.event.organization_id,
            "ticket": self.ticket.id,
            "strangers_ticket": self.strangers_ticket.id,
            "holder": self.holder.id,
            "owner": self.owner.id,
            "email": self.holder.email,
            "taken": self.stranger.username.upper(),
            "unique": next(self._unique),
        }
        needed = set(row.names) - given.keys()
        assert needed <= _MAKERS.keys(), f"_MAKERS in tests/contract/scene.py lacks {needed - _MAKERS.keys()}"
        return given | {name: await _MAKERS[name](self, caller) for name in sorted(needed)}

    async def own_key(self, caller: Caller) -> int:
        """A weak key of the caller's account."""
        return _key_id(await self.world.key(caller.user or self.holder, permissions=[]))

    async def others_key(self, _caller: Caller) -> int:
        return _key_id(await self.world.key(await self.world.user(), permissions=[]))

    async def own_ticket(self, caller: Caller) -> int:
        return (await self.world.ticket(self.event, caller.user or self.holder)).id

    async def spare_ticket(self, _caller: Caller) -> int:
        return (await self.world.ticket(self.event, await self.world.user())).id

    async def spare_code(self, caller: Caller) -> str:
        return (await Ticket.get(id=await self.spare_ticket(caller))).code

    async def own_code(self, caller: Caller) -> str:
        return (await Ticket.get(id=await self.own_ticket(caller))).code

    async def checked_in_ticket(self, caller: Caller) -> int:
        return await self._checked_in(await self.spare_ticket(caller))

    async def own_checked_in_ticket(self, caller: Caller) -> int:
        return await self._checked_in(await self.own_ticket(caller))

    async def _checked_in(self, ticket_id: int) -> int:
        await CheckIn.create(ticket_id=ticket_id, event_id=self.event.id, checked_in_at=self.event.created_at)
        return ticket_id

    async def pending_ticket(self, _caller: Caller) -> int:
        return (await self.world.ticket(self.event, await self.world.user(), status=TicketStatus.PENDING)).id

    async def own_pending_ticket(self, caller: Caller) -> int:
        return (await self.world.ticket(self.event, caller.user or self.holder, status=TicketStatus.PENDING)).id

    async def spare_event(self, _caller: Caller) -> int:
        return (await self.world.event(self.owner)).id

    async def spare_secret(self, _caller: Caller) -> int:
        return (await self.world.event(self.owner, privacy=Privacy.PRIVATE)).id

    async def spare_type(self, _caller: Caller) -> int:
        return (await self.world.ticket_type(self.event)).id

    async def awaited_type(self, _caller: Caller) -> int:
        """A ticket type of which a ticket waits to be approved."""
        awaited = await self.world.ticket_type(self.event)
        await self.world.ticket(self.event, self.stranger, ticket_type=awaited, status=TicketStatus.PENDING)
        return awaited.id

    async def secret_type(self, _caller: Caller) -> int:
        return (await self.world.ticket_type(self.secret)).id

    async def spare_field(self, _caller: Caller) -> int:
        return (await self._field(self.event)).id

    async def secret_field(self, _caller: Caller) -> int:
        return (await self._field(self.secret)).id

    async def turned_fields(self, _caller: Caller) -> str:
        """All fields of the event, the last first."""
        return await self._turned(CustomField, self._field, self.event)

    async def turned_secret_fields(self, _caller: Caller) -> str:
        return await self._turned(CustomField, self._field, self.secret)

    async def spare_image(self, _caller: Caller) -> int:
        return (await self.world.gallery_image(self.event)).id

    async def secret_image(self, _caller: Caller) -> int:
        return (await self.world.gallery_image(self.secret)).id

    async def turned_images(self, _caller: Caller) -> str:
        """All pictures of the event, the last first."""
        return await self._turned(GalleryImage, self.world.gallery_image, self.event)

    async def turned_secret_images(self, _caller: Caller) -> str:
        return await self._turned(GalleryImage, self.world.gallery_image, self.secret)

    async def _field(self, event: Event) -> CustomField:
        return await self.world.custom_field(event, f"Question {next(self._unique)}")

    async def _turned(
        self, model: type[Model], make: Callable[[Event], Awaitable[CustomField | GalleryImage]], event: Event
    ) -> str:
        """The ids as a list in a document has them; two are made where there are none."""
        if not await model.filter(event_id=event.id).exists():
            _ = [await make(event) for _ in range(2)]
        return ", ".join(
            str(row_id) for row_id in await model.filter(event_id=event.id).order_by("-id").values_list("id", flat=True)
        )

    async def spare_plan(self, _caller: Caller) -> int:
        return (await self.world.plan(f"Spare {next(self._unique)}")).id

    async def spare_user(self, _caller: Caller) -> int:
        return (await self.world.user()).id

    async def donation(self, _caller: Caller) -> int:
        return await self._donation(self.event.organization_id)

    async def platform_donation(self, _caller: Caller) -> int:
        return await self._donation(None)

    async def _donation(self, organization_id: int | None) -> int:
        made = await Donation.create(
            organization_id=organization_id,
            email="giver@example.com",
            number="01700000000",
            amount=50,
            transaction_id=f"GIVEN{next(self._unique)}",
            type=PaymentMethod.BKASH,
        )
        return made.id


_MAKERS: dict[str, Callable[[Scene, Caller], Awaitable[object]]] = {
    make.__name__: make
    for make in (
        Scene.own_key,
        Scene.others_key,
        Scene.own_ticket,
        Scene.spare_ticket,
        Scene.spare_code,
        Scene.own_code,
        Scene.checked_in_ticket,
        Scene.own_checked_in_ticket,
        Scene.pending_ticket,
        Scene.own_pending_ticket,
        Scene.spare_event,
        Scene.spare_secret,
        Scene.spare_type,
        Scene.awaited_type,
        Scene.secret_type,
        Scene.spare_field,
        Scene.secret_field,
        Scene.turned_fields,
        Scene.turned_secret_fields,
        Scene.spare_image,
        Scene.secret_image,
        Scene.turned_images,
        Scene.turned_secret_images,
        Scene.spare_plan,
        Scene.spare_user,
        Scene.donation,
        Scene.platform_donation,
    )
}


def _key_id(caller: Caller) -> int:
    assert caller.key
    return caller.key.id


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
