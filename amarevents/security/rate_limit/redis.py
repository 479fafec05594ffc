"""The rate limiter of several processes, with its logs in Redis (decisions 3.6)."""

import time
from collections.abc import Sequence

from redis.asyncio import Redis

from amarevents.security.rate_limit.limiter import (
    Quota,
    Tally,
    Verdict,
    limited,
    require_possible,
    unlimited,
    verdict_of,
)

KEY_PREFIX = "amarevents:rate:"
_SCANNED_AT_ONCE = 1000

SERVER_CLOCK = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
"""
"""Lua that sets ``now`` in microseconds by the clock of Redis, because the clocks of several machines differ."""

# Each key is a list of timestamps, oldest first, with its limit and window as arguments. The steps are the same as in
# MemoryRateLimiter.
_SCRIPT = """
local units, count = tonumber(ARGV[1]), ARGV[2] == '1'

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
  local oldest = stamp_at(log, 0)
  while oldest and oldest < now - window do
    redis.call('LPOP', log)
    oldest = stamp_at(log, 0)
  end
end

local states = {}
local fits = true
for index, log in ipairs(KEYS) do
  local limit, window = tonumber(ARGV[2 * index + 1]), tonumber(ARGV[2 * index + 2])
  prune(log, window)
  local excess = redis.call('LLEN', log) + units - limit
  states[index] = {log = log, window = window, excess = excess}
  fits = fits and excess <= 0
end

local answers = {}
for index, state in ipairs(states) do
  local counted, blocker = 0, 0
  if state.excess > 0 then
    blocker = stamp_at(state.log, state.excess - 1)
  elseif fits and count then
    append(state.log, units, state.window)
    counted = 1
  end
  local length = redis.call('LLEN', state.log)
  answers[index] = {state.excess > 0 and 0 or 1, counted, now, length, stamp_at(state.log, -1) or 0, blocker}
end
return answers
"""


class RedisRateLimiter:
    """Exact across all processes that share the Redis server, with one round trip for each call.

    If the reply to a charge is lost, the client retries it (see ``redis_client``), and it may count twice. A caller may
    then be refused too early, but never admitted beyond the limit. While Redis is unavailable, methods raise the
    client's exceptions. ``aclose`` closes the client.
    """

    def __init__(self, client: Redis, *, clock: str = SERVER_CLOCK) -> None:
        self._client = client
        self._script = client.register_script(clock + _SCRIPT)

    async def charge(self, quota: Quota, units: int = 1) -> Verdict:
        [verdict] = await self.charge_all([quota], units)
        return verdict

    async def charge_all(self, quotas: Sequence[Quota], units: int = 1) -> list[Verdict]:
        for quota in quotas:
            require_possible(quota, units)
        return await self._evaluate(quotas, units, count=True)

    async def usage(self, quota: Quota) -> Verdict:
        [verdict] = await self._evaluate([quota], 1, count=False)
        return verdict

    async def charged(self, prefix: str) -> list[str]:
        """Return the charged buckets; a bucket may be listed for up to one second longer than its window."""
        names = [name async for name in self._client.scan_iter(match=f"{KEY_PREFIX}{prefix}*", count=_SCANNED_AT_ONCE)]
        # SCAN may return a key more than once.
        return sorted({name.decode().removeprefix(KEY_PREFIX) for name in names})

    async def release(self, quota: Quota, verdict: Verdict) -> None:
        if not verdict.stamp:
            return
        # Search from the newest end, where a unit that was just counted is found first.
        await self._client.lrem(KEY_PREFIX + quota.bucket, -1, str(verdict.stamp))

    async def clear(self, quota: Quota) -> None:
        await self._client.delete(KEY_PREFIX + quota.bucket)

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _evaluate(self, quotas: Sequence[Quota], units: int, *, count: bool) -> list[Verdict]:
        counted = limited(quotas)
        if not counted:
            return [unlimited(time.time()) for _ in quotas]
        arguments = [units, int(count), *(value for quota in counted for value in (quota.limit, quota.window_us))]
        answers = await self._script([KEY_PREFIX + quota.bucket for quota in counted], arguments)
        verdicts = (_verdict(quota, answer) for quota, answer in zip(counted, answers, strict=True))
        return [next(verdicts) if quota.limit else unlimited(time.time()) for quota in quotas]


def _verdict(quota: Quota, answer: Sequence[int]) -> Verdict:
    allowed, counted, now, length, newest, blocker = answer
    return verdict_of(
        quota,
        Tally(allowed=bool(allowed), counted=bool(counted), now=now, length=length, newest=newest, blocker=blocker),
    )
