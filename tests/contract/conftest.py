"""Fixtures of the contract tests: the scene in which the rows of the tables are sent."""

import pytest

from amarevents.security.auth.passwords import PasswordHasher
from amarevents.settings import Settings
from tests.contract.scene import PASSWORD, Scene, make_scene
from tests.rest.conftest import set_clock  # noqa: F401 - the fixture, for this package too
from tests.support.world import World


@pytest.fixture(scope="session")
async def password_hash(deployment: Settings, anyio_backend: str) -> str:
    hasher = PasswordHasher(deployment)
    hashed = await hasher.hash(PASSWORD)
    hasher.close()
    return hashed


@pytest.fixture
async def scene(world: World, password_hash: str) -> Scene:
    return await make_scene(world, password_hash=password_hash)
