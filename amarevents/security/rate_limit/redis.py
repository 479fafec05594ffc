"""The rate limiter of several processes, with its logs in Redis (decisions 3.6)."""

import time

from redis.asyncio import Redis

from amarevents.security.rate_limit.limiter import Quota, Tally, Verdict, require_possible, unlimited, verdict_of

KEY_PREFIX = "amarevents:rate:"
_SCANNED_AT_ONCE = 1000

SERVER_CLOCK = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
"""
"""Lua that sets ``now`` in microseconds by the clock of Redis, because the clocks of several machines differ."""

# One key: a list of timestamps, oldest first. The steps are the same as in MemoryRateLimiter.
_SCRIPT = """
local log = KEYS[1]
local limit, units, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local count = ARGV[4] == '1'

local function stamp_at(index)
  return tonumber(redis.call('LINDEX', log, index))
end

local function append(number)
  -- Lua would format such a large number as 1.7e+15.
  local stamp = string.format('%.0f', now)
  for _ = 1, number do redis.call('RPUSH', log, stamp) end
  -- One second longer than the window: the clock of expiry does not advance while a script runs.
  if number > 0 then redis.call('PEXPIRE', log, math.ceil(window / 1000) + 1000) end
end

-- Move timestamps that a clock set back has left in the future to now.
local ahead = 0
local newest = stamp_at(-1)
while newest and newest > now do
  redis.call('RPOP', log)
  ahead = ahead + 1
  newest = stamp_at(-1)
end
append(ahead)

local oldest = stamp_at(0)
while oldest and oldest < now - window do
  redis.call('LPOP', log)
  oldest = stamp_at(0)
end

local length = redis.call('LLEN', log)
local excess = length + units - limit
if excess > 0 then return {0, 0, now, length, stamp_at(-1), stamp_at(excess - 1)} end
if not count then return {1, 0, now, length, stamp_at(-1) or 0, 0} end
append(units)
return {1, 1, now, length + units, now, 0}
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
        require_possible(quota, units)
        return await self._evaluate(quota, units, count=True)

    async def usage(self, quota: Quota) -> Verdict:
        return await self._evaluate(quota, 1, count=False)

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

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _evaluate(self, quota: Quota, units: int, *, count: bool) -> Verdict:
        if not quota.limit:
            return unlimited(time.time())
        arguments = [quota.limit, units, quota.window_us, int(count)]
        answer = await self._script([KEY_PREFIX + quota.bucket], arguments)
        allowed, counted, now, length, newest, blocker = answer
        return verdict_of(
            quota,
            Tally(allowed=bool(allowed), counted=bool(counted), now=now, length=length, newest=newest, blocker=blocker),
        )
