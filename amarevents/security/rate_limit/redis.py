"""The rate limiter of several processes, with its logs in Redis (decisions 3.6)."""

import re
import time
from collections.abc import Sequence

from amarevents.infra.redis import RedisClient
from amarevents.infra.redis_cluster import redis_commands
from amarevents.infra.redis_pipeline import Argument, Script
from amarevents.security.auth.account_versions import READ_VERSION, new_version, version_key
from amarevents.security.rate_limit.limiter import (
    AccountCharge,
    Quota,
    Tally,
    Verdict,
    Version,
    limited,
    require_possible,
    unlimited,
    verdict_of,
)

KEY_PREFIX = "amarevents:rate:"
_SCANNED_AT_ONCE = 1000
_HASH_TAG = re.compile(r"\{([^}]+)\}")

SERVER_CLOCK = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
"""
"""Lua that sets ``now`` in microseconds by the clock of Redis, because the clocks of several machines differ."""

# The first keys are lists of timestamps, oldest first, each with its limit and window among the arguments. The steps
# are the same as in MemoryRateLimiter. Another key is that of a version, if there is a candidate for it.
_SCRIPT = """
local units, count, candidate = tonumber(ARGV[1]), ARGV[2] == '1', ARGV[3]
local logs = candidate == '' and #KEYS or #KEYS - 1

local function stamp_at(log, index)
  return tonumber(redis.call('LINDEX', log, index))
end

local function append(log, number, window)
  -- Lua would format such a large number as 1.7e+15.
  local stamp = string.format('%.0f', now)
  for _ = 1, number do redis.call('RPUSH', log, stamp) end
  -- One second longer than the window: the clock of expiry does not advance while a script runs.
  if number > 0 then redis.call('PEXPIRE', log, math.ceil(window / 1000) + 1000) end
end

local function prune(log, window)
  -- Move timestamps that a clock set back has left in the future to now.
  local ahead = 0
  local newest = stamp_at(log, -1)
  while newest and newest > now do
    redis.call('RPOP', log)
    ahead = ahead + 1
    newest = stamp_at(log, -1)
  end
  append(log, ahead, window)
  local oldest = newest and stamp_at(log, 0)
  while oldest and oldest < now - window do
    redis.call('LPOP', log)
    oldest = stamp_at(log, 0)
  end
  if ahead > 0 then return now end
  return oldest and newest or 0
end

local states = {}
local fits = true
for index = 1, logs do
  local log, limit, window = KEYS[index], tonumber(ARGV[2 * index + 2]), tonumber(ARGV[2 * index + 3])
  local newest = prune(log, window)
  local length = newest > 0 and redis.call('LLEN', log) or 0
  local excess = length + units - limit
  states[index] = {log = log, window = window, excess = excess, length = length, newest = newest}
  fits = fits and excess <= 0
end

local answers = {}
for index, state in ipairs(states) do
  local counted, blocker, length, newest = 0, 0, state.length, state.newest
  if state.excess > 0 then
    blocker = stamp_at(state.log, state.excess - 1)
  elseif fits and count then
    append(state.log, units, state.window)
    counted, length, newest = 1, length + units, now
  end
  answers[index] = {state.excess > 0 and 0 or 1, counted, now, length, newest, blocker}
end
if candidate ~= '' then answers[logs + 1] = read_version(KEYS[logs + 1], candidate) end
return answers
"""


class RedisRateLimiter:
    """Exact across all processes that share the Redis server, with one round trip for each call.

    If the reply to a charge is lost, the client retries it (see ``redis_client``), and it may count twice. A caller may
    then be refused too early, but never admitted beyond the limit. While Redis is unavailable, methods raise the
    client's exceptions. ``aclose`` closes the client.
    """

    def __init__(self, client: RedisClient, *, clock: str = SERVER_CLOCK) -> None:
        self._client = client
        self._commands = redis_commands(client)
        self._script = Script(self._commands, clock + READ_VERSION + _SCRIPT)

    async def charge(self, quota: Quota, units: int = 1) -> Verdict:
        [verdict] = await self.charge_all([quota], units)
        return verdict

    async def charge_all(self, quotas: Sequence[Quota], units: int = 1) -> list[Verdict]:
        return (await self._charge(quotas, units)).verdicts

    async def charge_account(self, account_id: int, quotas: Sequence[Quota], units: int = 1) -> AccountCharge:
        return await self._charge(quotas, units, account_id)

    async def version_of(self, account_id: int) -> Version:
        return (await self._charge([], 1, account_id)).version

    async def usage(self, quota: Quota) -> Verdict:
        [verdict] = (await self._evaluate([quota], 1, count=False)).verdicts
        return verdict

    async def charged(self, prefix: str) -> list[str]:
        """Return the charged buckets; a bucket may be listed for up to one second longer than its window."""
        found = self._client.scan_iter(match=f"{KEY_PREFIX}{prefix}*", count=_SCANNED_AT_ONCE)
        names = [name async for name in found]
        # SCAN may return a key more than once.
        return sorted({name.decode().removeprefix(KEY_PREFIX) for name in names})

    async def release(self, quota: Quota, verdict: Verdict, units: int = 1) -> None:
        if not verdict.stamp:
            return
        # Search from the newest end, where a unit that was just counted is found first.
        await self._commands.execute("LREM", KEY_PREFIX + quota.bucket, -units, verdict.stamp)

    async def clear(self, quota: Quota) -> None:
        await self._commands.execute("DEL", KEY_PREFIX + quota.bucket)

    async def aclose(self) -> None:
        await self._commands.aclose()

    def _current(self, version: bytes | None) -> Version:
        """Return a version that differs from those by earlier connections: after a failover, a version may return."""
        return (version, self._commands.generation) if version else None

    async def _charge(self, quotas: Sequence[Quota], units: int, account_id: int | None = None) -> AccountCharge:
        for quota in quotas:
            require_possible(quota, units)
        return await self._evaluate(quotas, units, count=True, account_id=account_id)

    async def _evaluate(
        self, quotas: Sequence[Quota], units: int, *, count: bool, account_id: int | None = None
    ) -> AccountCharge:
        counted = limited(quotas)
        if not counted and account_id is None:
            return AccountCharge([unlimited(time.time()) for _ in quotas], None)
        keys = [KEY_PREFIX + quota.bucket for quota in counted]
        arguments: list[Argument] = [units, int(count), "" if account_id is None else new_version()]
        for quota in counted:
            arguments += (quota.limit, quota.window_us)
        if account_id is not None:
            keys.append(version_key(account_id))
        answers = await self._script.run(keys, arguments)
        version = None if account_id is None else self._current(answers.pop())
        verdicts = iter([_verdict(quota, answer) for quota, answer in zip(counted, answers, strict=True)])
        return AccountCharge([next(verdicts) if quota.limit else unlimited(time.time()) for quota in quotas], version)


def in_slot_of(bucket: str, name: str) -> str:
    """Return a bucket with this name that a cluster stores where it stores the other one."""
    key = KEY_PREFIX + bucket
    tag = _HASH_TAG.search(key)
    return f"{name}:{{{tag[1] if tag else key}}}"


def _verdict(quota: Quota, answer: Sequence[int]) -> Verdict:
    allowed, counted, now, length, newest, blocker = answer
    return verdict_of(
        quota,
        Tally(allowed=bool(allowed), counted=bool(counted), now=now, length=length, newest=newest, blocker=blocker),
    )
