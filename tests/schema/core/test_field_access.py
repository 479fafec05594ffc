"""Access to root fields: only the public ones are open to anonymous callers."""

import pytest

from tests.schema.core.root_fields import CALLS, MUTATIONS, PUBLIC, QUERIES
from tests.support.world import World


def test_every_root_field_has_a_call() -> None:
    assert CALLS.keys() == QUERIES | MUTATIONS.keys()


@pytest.mark.parametrize("name", sorted(CALLS))
async def test_only_public_fields_are_open_to_anonymous_callers(world: World, name: str) -> None:
    answer = await world.anonymous.graphql(CALLS[name])
    codes = [failure["extensions"]["code"] for failure in answer.get("errors", [])]
    assert ("UNAUTHENTICATED" not in codes) is (name in PUBLIC)
