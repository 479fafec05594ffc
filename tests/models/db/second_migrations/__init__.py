"""The project's migrations, and one more that rebuilds tables on SQLite in every way that there is."""

from amarevents.models import migrations

__path__ = [*migrations.__path__, *__path__]
