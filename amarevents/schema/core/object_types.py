"""The decorator for object types, which take their fields from a view of the service layer."""

import inspect
from dataclasses import is_dataclass
from typing import TypeVar, dataclass_transform

import strawberry

from amarevents.resolvers.core.descriptions import public_text

T = TypeVar("T")


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field,))
def object_type(cls: type[T]) -> type[T]:
    """Make a class an object type of the same name.

    Its description is the docstring of the class or, if it has none, that of the view that it extends, which is the
    last of its bases. Raises TypeError if neither has a docstring.
    """
    docstring = cls.__doc__ or _docstring_of_view(cls.__bases__[-1])
    if docstring is None:
        raise TypeError(f"{cls.__qualname__} has no description: write a docstring for it or for its view")
    _hide_rest_only_fields(cls)
    return strawberry.type(cls, description=public_text(docstring))


def _hide_rest_only_fields(cls: type) -> None:
    """Leave out the fields of the view that only REST has (its ``REST_ONLY``)."""
    hidden: frozenset[str] = getattr(cls, "REST_ONLY", frozenset())
    cls.__annotations__ = {**inspect.get_annotations(cls), **dict.fromkeys(hidden, strawberry.Private[object])}


def _docstring_of_view(view: type) -> str | None:
    """Return the docstring of a view; without one, a dataclass has its own signature there."""
    docstring = view.__doc__ if is_dataclass(view) else None
    return None if docstring is None or docstring.startswith(f"{view.__name__}(") else docstring
