"""The project's migrations, and one more that rebuilds tables on SQLite for each kind of change."""

from amarevents.models import migrations

__path__ = [*migrations.__path__, *__path__]
