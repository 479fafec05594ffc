"""The SQL statements that a block of code executes."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

CLIENT_LOGGER = logging.getLogger("tortoise.db_client")


class Statement(str):
    """The SQL of a statement, with the values of its parameters."""

    values: list[object]


class _Collector(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.statements: list[Statement] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.funcName.startswith("execute_"):
            sql, *values = record.args if isinstance(record.args, tuple) and record.args else (record.msg,)
            statement = Statement(sql)
            statement.values = list(values[0]) if values and isinstance(values[0], list | tuple) else []
            self.statements.append(statement)


@contextmanager
def counted_statements() -> Iterator[list[Statement]]:
    """Collect the SQL of all statements that any task of this process executes in the block, in order.

    Transaction control is left out; a script or an ``execute_many`` counts once.
    """
    collector, level = _Collector(), CLIENT_LOGGER.level
    CLIENT_LOGGER.addHandler(collector)
    CLIENT_LOGGER.setLevel(logging.DEBUG)
    try:
        yield collector.statements
    finally:
        CLIENT_LOGGER.setLevel(level)
        CLIENT_LOGGER.removeHandler(collector)
