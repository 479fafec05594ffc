"""Fixtures of the authentication tests: processes that remember principals."""

import dataclasses
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette

from amarevents.security.auth.principal_memory import PrincipalMemory, principal_memory
from amarevents.settings import Settings

SECONDS = 60
"""Longer than any test takes, so that nothing becomes outdated by its age."""


@pytest.fixture
async def memory(app: Starlette, deployment: Settings) -> AsyncIterator[PrincipalMemory]:
    """Let the application remember principals."""
    memory = principal_memory(deployment.model_copy(update={"principal_seconds": SECONDS}))
    app.state.services = dataclasses.replace(app.state.services, principals=memory)
    yield memory
    await memory.aclose()
