"""Authorization of subscribers: a subscription ends when access is lost, and delivers nothing afterwards."""

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


async def _remove_scope(scene: Scene, world: World) -> None:
    await ApiKey.filter(id=scene.key.id).update(permissions=["events:read"])


async def _demote(scene: Scene, world: World) -> None:
    scene.owner.type = AccountType.USER
    await scene.owner.save(update_fields=["type"])


async def _transfer_organization(scene: Scene, world: World) -> None:
    organization = await scene.event.organization
    organization.user_id = (await world.organizer()).id
    await organization.save(update_fields=["user_id"])


async def _delete_event(scene: Scene, world: World) -> None:
    data_of(await (await world.key(scene.owner, KeyType.ORGANIZER)).delete(f"/events/{scene.event.id}"))


async def _delete_account(scene: Scene, world: World) -> None:
    data_of(await (await world.admin_key()).delete(f"/admin/users/{scene.owner.id}"))


LOSSES = {
    "API_KEY_REVOKED": _revoke,
    "API_KEY_SUSPENDED": _suspend,
    "API_KEY_EXPIRED": _expire,
    "MISSING_SCOPE": _remove_scope,
    "ROLE_LOST": _demote,
    "FORBIDDEN": _transfer_organization,
    "NOT_FOUND": _delete_event,
    "INVALID_API_KEY": _delete_account,
}
LoseAccess = Callable[[Scene, World], Awaitable[None]]


@EACH_SUBSCRIPTION
@pytest.mark.parametrize(("code", "lose_access"), LOSSES.items(), ids=list(LOSSES))
async def test_idle_subscription_ends_when_access_is_lost(
    app: Starlette, scene: Scene, world: World, subscription: Subscription[Any], code: str, lose_access: LoseAccess
) -> None:
    """Nothing changes in the event."""
    async with open_subscription(app, subscription, scene.organizer, scene.event.id) as views:
        if subscription is subscriptions.event_stats:
            await views.next()
        upcoming = asyncio.create_task(views.next(5))
        await wait_for_subscribers(app)
        await lose_access(scene, world)
        with pytest.raises(errors.AmarEventsError) as ended:
            await upcoming
        assert ended.value.code == code


@EACH_SUBSCRIPTION
@pytest.mark.parametrize(("code", "lose_access"), list(LOSSES.items())[:6], ids=list(LOSSES)[:6])
async def test_change_before_the_loss_of_access_is_not_delivered_after_it(
    app: Starlette,
    scene: Scene,
    world: World,
    subscription: Subscription[Any],
    code: str,
    lose_access: LoseAccess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The subscription ends without waiting for the next periodic check, although the change is already queued."""
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
        await lose_access(scene, world)
        with pytest.raises(errors.AmarEventsError) as ended:
            await views.next(5)
        assert ended.value.code == code


async def test_change_is_delivered_without_the_check_before_each_delivery(
    stats: ViewStream, scene: Scene, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control."""

    async def skip_check(_authorization: SubscriberAuthorization) -> None:
        return

    await stats.next()
    await _revoke(scene, world)
    monkeypatch.setattr(SubscriberAuthorization, "identify", skip_check)
    await scene.register()
    assert (await stats.next()).total == 1


async def test_subscription_ends_with_its_session(app: Starlette, scene: Scene, world: World) -> None:
    session = await world.session(scene.owner)
    async with open_subscription(app, subscriptions.event_stats, session, scene.event.id) as views:
        await views.next()
        await Session.all().delete()
        with pytest.raises(errors.Unauthenticated):
            await views.next(5)
