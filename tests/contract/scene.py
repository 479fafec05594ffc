"""The scene in which the rows of the tables are sent: its accounts, its events, and what ``$names`` in rows mean."""

import datetime
import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from string import Template

from tortoise.models import Model

from amarevents.models import (
    CheckIn,
    CustomField,
    Donation,
    Event,
    GalleryImage,
    PasswordReset,
    Ticket,
    TicketType,
    User,
)
from amarevents.models.columns import utc_now
from amarevents.models.enums import KeyType, PaymentMethod, Privacy, TicketStatus
from amarevents.security.auth.api_keys import digest_of
from tests.contract.access import Row
from tests.support.world import Caller, World

Substitutions = Mapping[str, object]
Send = Callable[[Row, Caller, Substitutions], Awaitable[int]]
Request = Callable[[], Awaitable[int]]

PASSWORD = "secret123"
KEY_TYPES = {
    "holder": KeyType.USER,
    "other_user": KeyType.USER,
    "owner": KeyType.ORGANIZER,
    "other_organizer": KeyType.ORGANIZER,
    "admin": KeyType.ADMIN,
}


async def send_over_rest(row: Row, caller: Caller, values: Substitutions) -> int:
    """Send the row's request to REST and return its status."""
    body, path = (Template(text).substitute(values) for text in (row.body, row.path))
    headers = caller.headers | ({"Content-Type": "application/json"} if body else {})
    response = await caller.http.request(row.method, f"/api{path}", content=body, headers=headers)
    assert response.json()["success"] is (response.status_code < 400)
    return response.status_code


async def send_over_graphql(row: Row, caller: Caller, values: Substitutions) -> int:
    """Send the row's request to GraphQL and return the status that REST has for the same outcome."""
    response = await caller.graphql_response(Template(row.graphql).substitute(values))
    if failures := response.json().get("errors"):
        status: int = failures[0]["extensions"]["status"]
        assert response.status_code in (200, status)
        return status
    return 201 if row.statuses.endswith("201") else 200


@dataclass
class Scene:
    """An owner with a public and a private event, a user who holds tickets to both, and accounts unrelated to them.

    ``secret`` is the private event. The methods below make what the ``$names`` in rows mean; ``spare`` ones are for
    a single request, which may delete them.
    """

    world: World
    owner: User
    holder: User
    other_user: User
    other_organizer: User
    admin: User
    event: Event
    secret: Event
    ticket: Ticket
    other_ticket: Ticket

    def __post_init__(self) -> None:
        self._unique = itertools.count()

    async def caller(self, name: str) -> Caller:
        """Return a caller by its name in CALLERS."""
        if name == "anonymous":
            return self.world.anonymous
        who, _, is_session = name.partition("'s ")
        user: User = getattr(self, who)
        return await (self.world.session(user) if is_session else self.world.key(user, KEY_TYPES[who]))

    async def request(self, surface: Send, row: Row, caller: Caller) -> Request:
        """Make what the row's request needs, and return a function that sends it."""
        values = await self.values(row, caller)
        return lambda: surface(row, caller, values)

    async def values(self, row: Row, caller: Caller) -> Substitutions:
        """Return the values of the row's ``$names``; what a request may delete is made for this caller alone."""
        values: dict[str, object] = {
            "event": self.event.id,
            "secret": self.secret.id,
            "organization": self.event.organization_id,
            "ticket": self.ticket.id,
            "other_ticket": self.other_ticket.id,
            "holder": self.holder.id,
            "owner": self.owner.id,
            "email": self.holder.email,
            "taken": self.other_user.username.upper(),
            "unique": next(self._unique),
        }
        made = {name: await _MAKERS[name](self, caller) for name in row.names if name not in values}
        return values | made

    async def own_key(self, caller: Caller) -> int:
        """Return an API key of the caller's account that has no permissions."""
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
        return await self._one_of_two_types(self.event)

    async def _one_of_two_types(self, event: Event) -> int:
        """Return a ticket type that can be deleted: the last one of an event with tickets cannot (decisions 6.3)."""
        first, _ = [await self.world.ticket_type(event) for _ in range(2)]
        return first.id

    async def type_with_pending_ticket(self, _caller: Caller) -> int:
        """Return a ticket type with a pending ticket."""
        ticket_type = await TicketType.get(id=await self._one_of_two_types(self.event))
        await self.world.ticket(self.event, self.other_user, ticket_type=ticket_type, status=TicketStatus.PENDING)
        return ticket_type.id

    async def secret_type(self, _caller: Caller) -> int:
        return await self._one_of_two_types(self.secret)

    async def spare_field(self, _caller: Caller) -> int:
        return (await self._field(self.event)).id

    async def secret_field(self, _caller: Caller) -> int:
        return (await self._field(self.secret)).id

    async def reversed_fields(self, _caller: Caller) -> str:
        """Return the IDs of all custom fields of the event in reverse order."""
        return await self._reversed(CustomField, self._field, self.event)

    async def reversed_secret_fields(self, _caller: Caller) -> str:
        return await self._reversed(CustomField, self._field, self.secret)

    async def spare_image(self, _caller: Caller) -> int:
        return (await self.world.gallery_image(self.event)).id

    async def reset_token(self, _caller: Caller) -> str:
        """Return a token that sets the password of an account, once."""
        user = await self.world.user()
        token = f"reset {user.id}"
        expires_at = utc_now() + datetime.timedelta(hours=1)
        await PasswordReset.create(user=user, email=user.email, digest=digest_of(token), expires_at=expires_at)
        return token

    async def secret_image(self, _caller: Caller) -> int:
        return (await self.world.gallery_image(self.secret)).id

    async def reversed_images(self, _caller: Caller) -> str:
        """Return the IDs of all gallery images of the event in reverse order."""
        return await self._reversed(GalleryImage, self.world.gallery_image, self.event)

    async def reversed_secret_images(self, _caller: Caller) -> str:
        return await self._reversed(GalleryImage, self.world.gallery_image, self.secret)

    async def _field(self, event: Event) -> CustomField:
        return await self.world.custom_field(event, f"Question {next(self._unique)}")

    async def _reversed(
        self, model: type[Model], make: Callable[[Event], Awaitable[CustomField | GalleryImage]], event: Event
    ) -> str:
        """Return the IDs in reverse order for a list in a document; make two rows if the event has none."""
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
        Scene.type_with_pending_ticket,
        Scene.secret_type,
        Scene.spare_field,
        Scene.secret_field,
        Scene.reversed_fields,
        Scene.reversed_secret_fields,
        Scene.reset_token,
        Scene.spare_image,
        Scene.secret_image,
        Scene.reversed_images,
        Scene.reversed_secret_images,
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
    """Make the scene; ``password_hash`` is the hash of PASSWORD, the holder's password."""
    owner = await world.organizer()
    holder = await world.user(password_hash=password_hash)
    event = await world.event(owner)
    secret = await world.event(owner, privacy=Privacy.PRIVATE)
    await world.ticket(secret, holder)
    return Scene(
        world=world,
        owner=owner,
        holder=holder,
        other_user=await world.user(),
        other_organizer=await world.organizer(),
        admin=await world.admin(),
        event=event,
        secret=secret,
        ticket=await world.ticket(event, holder),
        other_ticket=await world.ticket(event, await world.user()),
    )
