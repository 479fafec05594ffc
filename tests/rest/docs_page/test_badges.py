"""Badges of the reference page, which show the key types and scope of an operation."""

from amarevents.rest.docs_page.badges import badges
from amarevents.security.policy import ORGANIZERS, PUBLIC, USERS, Policy, Scope, allow


def names(policy: Policy) -> list[str]:
    return [badge["name"] for badge in badges(policy)]


def test_badges_show_the_key_types_and_the_scope() -> None:
    assert names(allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE)) == ["organizer", "admin", "events:write"]


def test_operation_without_a_scope_has_only_badges_of_key_types() -> None:
    assert names(allow(*USERS, scope=None)) == ["user", "organizer", "admin"]


def test_public_operation_has_a_public_badge() -> None:
    assert names(PUBLIC) == ["public"]
