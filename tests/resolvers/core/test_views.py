"""Views that extend other views."""

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


def test_extended_view_has_the_fields_of_both() -> None:
    assert extend(Narrow(name="x"), to=partial(Wide, sizes=[1])) == Wide(name="x", sizes=[1], color="red")


def test_missing_field_is_an_error() -> None:
    with pytest.raises(TypeError, match="sizes"):
        extend(Narrow(name="x"), to=partial(Wide, color="blue"))
