"""Construction of views that extend other views."""

from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

V = TypeVar("V")


def extend(view: "DataclassInstance", *, to: Callable[..., V]) -> V:
    """Return a view with the fields of ``view`` and those that ``to`` adds.

    ``to`` is the constructor of a subclass of the view, with the fields that the subclass adds already bound:
    ``extend(summary, to=partial(EventDetailView, notice=event.notice))``. The types of the bound fields are checked,
    and those that are passed on have the same type in the subclass.
    """
    return to(**{field.name: getattr(view, field.name) for field in fields(view)})
