"""Subscriptions on real servers: across processes, while Redis fails, and at shutdown."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from gql import Client, GraphQLRequest

from tests.support.graphql_answers import error_code_of_message
from tests.support.platforms import ROOT, Deployment, OnSale, RunningPlatform, put_on_sale
from tests.support.redis_server import private_redis
from tests.support.servers import HOST
from tests.support.websocket_client import gql_transport, open_socket

STATS = "subscription($id: ID!) { eventStats(eventId: $id) { total } }"
TICKETS = "subscription($id: ID!) { ticketUpdated(eventId: $id) { kind ticket { name } } }"

# Any: JSON.


def _client(platform: RunningPlatform, key: str) -> Client:
    headers = {"Authorization": f"Bearer {key}"}
    return Client(transport=gql_transport(f"{HOST}:{platform.port}", headers, in_handshake=True))


async def _register(platform: RunningPlatform, key: str, sale: OnSale) -> int:
    body = {"event_id": sale.event_id, "ticket_type_id": sale.ticket_type_id}
    async with platform.client(key) as client:
        return int((await client.post("/api/tickets", json=body)).json()["data"]["id"])


async def _next_total(results: AsyncIterator[Any], seconds: float) -> int:
    async with asyncio.timeout(seconds):
        return int((await anext(results))["eventStats"]["total"])


async def _sale(platform: RunningPlatform, key: str) -> OnSale:
    async with platform.client(key) as client:
        return await put_on_sale(client, capacity=0)


@pytest.mark.backend("postgres")
async def test_subscribers_in_another_process_receive_changes_within_a_second(
    shared_deployment: Deployment, admin_key: str
) -> None:
    with shared_deployment.serving() as first, shared_deployment.serving() as second:
        sale = await _sale(first, admin_key)
        async with _client(second, admin_key) as session:
            variables = {"id": sale.event_id}
            results = session.subscribe(GraphQLRequest(STATS, variable_values=variables))
            assert await _next_total(results, 10) == 0
            tickets = session.subscribe(GraphQLRequest(TICKETS, variable_values=variables))
            upcoming = asyncio.create_task(anext(tickets))
            await session.execute(GraphQLRequest("{ me { id } }"))  # the subscription has started by now
            ticket_id = await _register(first, admin_key, sale)
            assert await _next_total(results, 1) == 1
            assert (await upcoming)["ticketUpdated"]["kind"] == "CREATED"
            async with first.client(admin_key) as client:
                for body, kind in (({"status": "Refunded"}, "UPDATED"), (None, "DELETED")):
                    upcoming = asyncio.create_task(anext(tickets))
                    await client.request("PUT" if body else "DELETE", f"/api/tickets/{ticket_id}", json=body)
                    async with asyncio.timeout(1):
                        assert (await upcoming)["ticketUpdated"]["kind"] == kind
            await results.aclose()
            await tickets.aclose()


@pytest.mark.backend("postgres")
async def test_a_key_revoked_in_one_process_ends_its_subscriptions_in_another(
    shared_deployment: Deployment, admin_key: str
) -> None:
    key = shared_deployment.run("create-key", "--email", "operator@example.com", "--type", "admin")
    with shared_deployment.serving() as first, shared_deployment.serving() as second:
        sale = await _sale(first, admin_key)
        async with open_socket(f"{HOST}:{second.port}", {"Authorization": f"Bearer {key}"}) as socket:
            await socket.initialize()
            await socket.subscribe(TICKETS, id=sale.event_id)
            async with first.client(key) as client:
                key_id = (await client.get("/api/auth/me")).json()["data"]["auth"]["key_id"]
                await client.delete(f"/api/keys/{key_id}")
            await _register(first, admin_key, sale)
            assert error_code_of_message(await socket.receive(6)) == "API_KEY_REVOKED"
            assert (await socket.wait_closed())[0] == 4401


@pytest.mark.backend("postgres")
async def test_statistics_are_correct_after_redis_was_unavailable(
    shared_deployment: Deployment, admin_key: str
) -> None:
    with private_redis() as redis:
        own = Deployment(database_url=shared_deployment.database_url, redis_url=redis.url)
        with own.serving() as first, own.serving() as second:
            sale = await _sale(first, admin_key)
            async with _client(second, admin_key) as session:
                results = session.subscribe(GraphQLRequest(STATS, variable_values={"id": sale.event_id}))
                assert await _next_total(results, 10) == 0
                redis.stop()
                await _register(first, admin_key, sale)
                redis.start()
                assert await _next_total(results, 10) == 1
                await results.aclose()


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.backend("postgres"))])
async def test_shutdown_ends_subscriptions_without_delay(
    shared_deployment: Deployment, admin_key: str, workers: int
) -> None:
    with shared_deployment.serving(workers=workers) as platform:
        sale = await _sale(platform, admin_key)
        key = {"Authorization": f"Bearer {admin_key}"}
        body = {"query": TICKETS, "variables": {"id": sale.event_id}}
        async with (
            open_socket(f"{HOST}:{platform.port}", key) as socket,
            platform.client(admin_key) as client,
            client.stream("POST", "/graphql", json=body, headers={"Accept": "text/event-stream"}) as stream,
        ):
            await socket.initialize()
            await socket.subscribe(STATS, id=sale.event_id)
            assert (await socket.receive())["type"] == "next"
            started_at = time.monotonic()
            stopping = asyncio.create_task(asyncio.to_thread(platform.server.stop))
            assert (await socket.wait_closed())[0] == 1001
            assert (await stream.aread()).decode().endswith("event: complete\ndata:\n\n")
            await stopping
            assert time.monotonic() - started_at < 8  # seconds; it would otherwise wait 10 for the stream
            platform.server.start()


async def test_invalid_utf8_closes_the_websocket_and_is_not_logged(
    shared_deployment: Deployment,
) -> None:
    with shared_deployment.serving() as platform:
        async with open_socket(f"{HOST}:{platform.port}") as socket:
            await socket.connection.send(b"\xff\xfe", text=True)
            assert (await socket.wait_closed())[0] == 1007
        async with platform.client() as client:
            assert (await client.get("/healthz")).status_code == 200
        assert "Traceback" not in platform.log


# The examples in docs/graphql.md ---------------------------------------------------------------------------------

GUIDE = (
    (ROOT / "docs" / "graphql.md").read_text(encoding="utf-8").partition("## Subscriptions")[2].partition("\n## ")[0]
)


@pytest.mark.parametrize(
    ("language", "command", "output"),
    [("python", [sys.executable, "-c"], "'approved': [1-9]"), ("bash", ["bash", "-c"], '"status":"SUCCESS"')],
)
async def test_the_example_in_the_guide_receives_registrations(
    shared_deployment: Deployment, admin_key: str, language: str, command: list[str], output: str
) -> None:
    [example] = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    with shared_deployment.serving() as platform:
        sale = await _sale(platform, admin_key)
        exported = {"AMAR_EVENTS_URL": platform.url, "AMAR_EVENTS_KEY": admin_key, "EVENT": str(sale.event_id)}
        environment = {**os.environ, **exported}
        running = await asyncio.create_subprocess_exec(
            *command,
            example,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # so that the shell and its children end together
        )
        registering = asyncio.create_task(_register_repeatedly(platform, admin_key, sale))
        try:
            await _wait_for_output(running, output)
        finally:
            registering.cancel()
            os.killpg(running.pid, signal.SIGTERM)
            await asyncio.gather(running.wait(), registering, return_exceptions=True)


async def _register_repeatedly(platform: RunningPlatform, key: str, sale: OnSale) -> None:
    """Register every second: there is no sign of when the subscription of the example has started."""
    while True:
        await asyncio.sleep(1)
        await _register(platform, key, sale)


async def _wait_for_output(running: asyncio.subprocess.Process, output: str) -> None:
    assert running.stdout is not None
    async with asyncio.timeout(20):
        while not re.search(output, line := (await running.stdout.readline()).decode()):
            assert line, "the example has ended"
