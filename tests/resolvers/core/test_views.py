"""Views that extend others."""

from dataclasses import dataclass
from functools import partial

import pytest

from amarevents.resolvers.core.views import extend


@dataclass(slots=True, kw_only=True)
class Narrow:
    name: str


@dataclass(slots=True, kw_only=True)
class Wide(Narrow):
    sizes: list[int]
    color: str = "red"


def test_the_wider_view_has_the_fields_of_both() -> None:
    assert extend(Narrow(name="x"), to=partial(Wide, sizes=[1])) == Wide(name="x", sizes=[1], color="red")


def test_a_field_that_is_not_added_is_an_error() -> None:
    with pytest.raises(TypeError, match="sizes"):
        extend(Narrow(name="x"), to=partial(Wide, color="blue"))
