"""Servers that are stopped, and clients that disconnect, in the middle of a request."""

import asyncio
import random
import socket
import struct

import asyncpg
import httpx
import pytest

from tests.support.platforms import PASSWORD, Deployment, OnSale, RunningPlatform, places_held, put_on_sale
from tests.support.servers import HOST

ABORTED = 200
SLOW_PASSES = "60"  # of Argon2id, so that a registration takes a second or two


async def test_shutdown_finishes_requests_in_progress(shared_deployment: Deployment) -> None:
    account = {"username": "latecomer", "email": "latecomer@example.com", "password": PASSWORD, "number": "0170000000"}
    with shared_deployment.serving(argon2_time_cost=SLOW_PASSES, argon2_memory_kib="19456") as platform:
        async with platform.client() as client:
            request = asyncio.create_task(client.post("/api/auth/register", json=account))
            await asyncio.sleep(0.3)
            stopping = asyncio.create_task(asyncio.to_thread(platform.server.stop))
            await asyncio.sleep(0.1)
            assert not request.done()  # otherwise the hash must be slower
            assert (await request).status_code == 201
            await stopping
            with pytest.raises(httpx.ConnectError):
                await client.get("/healthz")
        assert "Finished server process" in platform.log


async def test_clients_that_disconnect_hold_no_places_and_no_transactions(
    shared_deployment: Deployment, admin_key: str
) -> None:
    with shared_deployment.serving() as platform:
        async with platform.client(admin_key) as admin:
            sale = await put_on_sale(admin, capacity=1_000)
            await asyncio.gather(*(_disconnect_early(platform, admin_key, sale, number) for number in range(ABORTED)))
            afterwards = [admin.post("/api/tickets", json={"event_id": sale.event_id}) for _ in range(30)]
            assert {answer.status_code for answer in await asyncio.gather(*afterwards)} == {201}
            sold, held = await places_held(admin, sale)
            assert sold == held >= 30
    assert await _open_transactions(shared_deployment) == 0


async def _disconnect_early(platform: RunningPlatform, key: str, sale: OnSale, number: int) -> None:
    """Send a registration, or a part of it, and close the connection shortly afterwards."""
    body = b'{"event_id": %d}' % sale.event_id
    head = f"POST /api/tickets HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {key}\r\n"
    request = f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    _reader, writer = await asyncio.open_connection(HOST, platform.port)
    writer.write(request[: -number % 3] if number % 3 else request)
    await asyncio.sleep(random.uniform(0, 0.03))
    # Without lingering, closing resets the connection immediately.
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _open_transactions(shared_deployment: Deployment) -> int:
    """Return the number of abandoned transactions; on SQLite, they would have blocked the requests afterwards."""
    if shared_deployment.database_url.startswith("sqlite"):
        return 0
    connection = await asyncpg.connect(shared_deployment.database_url)
    count = await connection.fetchval(
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
    )
    await connection.close()
    return int(count)
