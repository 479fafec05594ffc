"""Comparison of the errors that operations raise in tests with those that they declare by ``raises=``."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from amarevents import errors
from amarevents.resolvers.core.operation import Operation

_blocks: list[list[str]] = []
"""What the blocks of ``require_declared_errors`` have found, the innermost last; only that one reports an error."""


class UndeclaredError(AssertionError):
    """An operation raised an error that it does not declare."""


def is_declared(operation: Operation[Any], error: errors.AmarEventsError) -> bool:  # Any: each has its own view
    """Return whether the operation declares the error or any request can end with it."""
    return type(error) in errors.COMMON_ERRORS or type(error) in operation.raises


@contextmanager
def require_declared_errors() -> Iterator[None]:
    """Raise UndeclaredError at the end of the block if an operation of the application raised an undeclared error."""
    undeclared: list[str] = []
    _blocks.append(undeclared)
    call = Operation.__call__

    async def recorded(operation: Operation[Any], *arguments: Any, **options: Any) -> object:  # Any: passed on
        try:
            return await call(operation, *arguments, **options)
        except errors.AmarEventsError as error:
            is_ours = operation.run.__module__.startswith("amarevents.")
            if _blocks and undeclared is _blocks[-1] and is_ours and not is_declared(operation, error):
                undeclared.append(f"{operation.name} raises {type(error).__name__}: add it to its raises=")
            raise

    try:
        with patch.object(Operation, "__call__", recorded):
            yield
    finally:
        _blocks.pop()
    if undeclared:
        raise UndeclaredError("\n".join(undeclared))
