"""The rows of the benchmark are as the application would have written them."""

import datetime
import sqlite3
from pathlib import Path

import pytest

from benchmarks.dataset import Dataset, Size
from benchmarks.loading import load_sqlite
from tests.support.platforms import Deployment

SIZE = Size(events=200, tickets=2_000, users=500, organizations=10, crowd=300, keys=20)


@pytest.mark.backend("sqlite")
def test_rows_refer_to_rows_and_count_what_there_is(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    Deployment(database_url=f"sqlite:///{path}", redis_url=None).run("migrate")
    load_sqlite(path, Dataset(size=SIZE, today=datetime.date(2027, 1, 31), password_hash="!"))
    database = sqlite3.connect(path)
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    held = "SELECT count(*) FROM tickets WHERE ticket_type_id = k.id AND status IN ('Pending', 'Success')"
    assert database.execute(f"SELECT id, sold FROM ticket_types k WHERE sold != ({held})").fetchall() == []
    used = "SELECT count(*) FROM events WHERE organization_id = o.id"
    assert database.execute(f"SELECT id FROM organizations o WHERE events_used != ({used})").fetchall() == []
    foreign = "SELECT t.id FROM tickets t JOIN ticket_types k ON k.id = t.ticket_type_id WHERE k.event_id != t.event_id"
    assert database.execute(foreign).fetchall() == []
    database.close()
