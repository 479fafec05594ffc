"""Who may call, as labels."""

from amarevents.rest.docs_page.badges import badges
from amarevents.security.policy import ORGANIZERS, PUBLIC, USERS, Policy, Scope, allow


def names(policy: Policy) -> list[str]:
    return [badge["name"] for badge in badges(policy)]


def test_badges_are_the_key_types_and_the_scope() -> None:
    assert names(allow(*ORGANIZERS, scope=Scope.EVENTS_WRITE)) == ["organizer", "admin", "events:write"]


def test_without_a_scope_any_key_of_the_types_will_do() -> None:
    assert names(allow(*USERS, scope=None)) == ["user", "organizer", "admin"]


def test_what_is_public_says_so() -> None:
    assert names(PUBLIC) == ["public"]
