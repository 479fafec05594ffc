"""When subscribed an event ends, and that nothing is told after that."""

import asyncio
import datetime
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.applications import Starlette

from amarevents import errors
from amarevents.models import ApiKey, Session
from amarevents.models.columns import utc_now
from amarevents.models.enums import AccountType, KeyType
from amarevents.resolvers.core.subscription import SubscriberAuthorization, Subscription
from amarevents.resolvers.tickets import subscriptions
from tests.schema.subscriptions.conftest import Scene
from tests.support.local_server import wait_for_subscribers
from tests.support.rest_answers import data_of
from tests.support.subscribers import EACH_SUBSCRIPTION, ViewStream, open_subscription
from tests.support.world import World

# Any: views of several types.

pytestmark = pytest.mark.usefixtures("checked_often")


async def _revoke(scene: Scene, world: World) -> None:
    data_of(await scene.organizer.delete(f"/keys/{scene.key.id}"))


async def _suspend(scene: Scene, world: World) -> None:
    await ApiKey.filter(id=scene.key.id).update(is_active=False)


async def _expire(scene: Scene, world: World) -> None:
    await ApiKey.filter(id=scene.key.id).update(expires_at=utc_now() - datetime.timedelta(seconds=1))


async def _unscope(scene: Scene, world: World) -> None:
    await ApiKey.filter(id=scene.key.id).update(permissions=["events:read"])


async def _demote(scene: Scene, world: World) -> None:
    scene.owner.type = AccountType.USER
    await scene.owner.save(update_fields=["type"])


async def _hand_over(scene: Scene, world: World) -> None:
    organization = await scene.event.organization
    organization.user_id = (await world.organizer()).id
    await organization.save(update_fields=["user_id"])


async def _delete_event(scene: Scene, world: World) -> None:
    data_of(await (await world.key(scene.owner, KeyType.ORGANIZER)).delete(f"/events/{scene.event.id}"))


async def _delete_account(scene: Scene, world: World) -> None:
    data_of(await (await world.admin_key()).delete(f"/admin/users/{scene.owner.id}"))


ENDS = {
    "API_KEY_REVOKED": _revoke,
    "API_KEY_SUSPENDED": _suspend,
    "API_KEY_EXPIRED": _expire,
    "MISSING_SCOPE": _unscope,
    "ROLE_LOST": _demote,
    "FORBIDDEN": _hand_over,
    "NOT_FOUND": _delete_event,
    "INVALID_API_KEY": _delete_account,
}
End = Callable[[Scene, World], Awaitable[None]]


@EACH_SUBSCRIPTION
@pytest.mark.parametrize(("code", "end"), ENDS.items(), ids=list(ENDS))
async def test_it_ends_by_itself_when_the_right_to_it_does(
    app: Starlette, scene: Scene, world: World, subscription: Subscription[Any], code: str, end: End
) -> None:
    """Nothing happens in the event meanwhile."""
    async with open_subscription(app, subscription, scene.organizer, scene.event.id) as views:
        if subscription is subscriptions.event_stats:
            await views.next()
        upcoming = asyncio.create_task(views.next(5))
        await wait_for_subscribers(app)
        await end(scene, world)
        with pytest.raises(errors.AmarEventsError) as ended:
            await upcoming
        assert ended.value.code == code


@EACH_SUBSCRIPTION
@pytest.mark.parametrize(("code", "end"), list(ENDS.items())[:6], ids=list(ENDS)[:6])
async def test_nothing_is_told_after_its_end_even_if_it_happened_before(
    app: Starlette,
    scene: Scene,
    world: World,
    subscription: Subscription[Any],
    code: str,
    end: End,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without waiting for the next check: what has been told to the broker meets a views without a right to it."""
    monkeypatch.setattr("amarevents.resolvers.core.subscription.CHECK_SECONDS", 60)
    async with open_subscription(app, subscription, scene.organizer, scene.event.id) as views:
        if subscription is subscriptions.event_stats:
            await views.next()
        else:
            first = asyncio.create_task(views.next(5))
            await wait_for_subscribers(app)
            await scene.register()
            await first
        await scene.register()
        await end(scene, world)
        with pytest.raises(errors.AmarEventsError) as ended:
            await views.next(5)
        assert ended.value.code == code


async def test_without_the_check_before_each_delivery_it_would_be_told(
    stats: ViewStream, scene: Scene, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the above."""

    async def trusting(_standing: SubscriberAuthorization) -> None:
        return

    await stats.next()
    await _revoke(scene, world)
    monkeypatch.setattr(SubscriberAuthorization, "identify", trusting)
    await scene.register()
    assert (await stats.next()).total == 1


async def test_it_ends_with_its_session(app: Starlette, scene: Scene, world: World) -> None:
    session = await world.session(scene.owner)
    async with open_subscription(app, subscriptions.event_stats, session, scene.event.id) as views:
        await views.next()
        await Session.all().delete()
        with pytest.raises(errors.Unauthenticated):
            await views.next(5)
