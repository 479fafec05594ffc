"""What each field means, put into the document."""

from typing import Any

from amarevents.resolvers.core.descriptions import EXCEPTIONS, FIELDS

# Any: JSON Schema has no narrower type.
_Json = dict[str, Any]


def description(owner: str, name: str) -> str:
    """What a field means. Raises KeyError for one that nothing is said of."""
    return EXCEPTIONS.get((owner, name)) or FIELDS[name]


def with_descriptions(owner: str, properties: _Json) -> _Json:
    """The properties of a schema, each with what it means; one that says so itself keeps its words."""
    return {name: {"description": description(owner, name), **schema} for name, schema in properties.items()}
