"""Counts what a block of code asks of the database."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

CLIENT_LOGGER = logging.getLogger("tortoise.db_client")


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.statements: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.funcName.startswith("execute_"):
            self.statements.append(
                str(record.args[0] if isinstance(record.args, tuple) and record.args else record.msg)
            )


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """The SQL of all statements that any task of this process issues in the block, in their order.

    What begins, ends and nests transactions is not among them, and a script or an ``execute_many`` counts once.
    """
    collector, level = _Collector(), CLIENT_LOGGER.level
    CLIENT_LOGGER.addHandler(collector)
    CLIENT_LOGGER.setLevel(logging.DEBUG)
    try:
        yield collector.statements
    finally:
        CLIENT_LOGGER.setLevel(level)
        CLIENT_LOGGER.removeHandler(collector)
