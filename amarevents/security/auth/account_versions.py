"""The versions of accounts in Redis, by which a process knows whether what it remembers of an account is outdated.

The version of an account is a random text. It is answered in the round trip that charges a request, and created if it
is missing: a server that has been emptied makes every process read its principals again. While changes to the account
are being made it is a marker with a token of each change, which is no version: nothing is remembered or used under it.

A change sets its token before its transaction starts, and takes it away after the transaction has ended. The last one
leaves a new version. So between any two answers of the same version, nothing has been committed. It is never a
counter, which a server could repeat after losing its data.
"""

import secrets

from amarevents.infra.redis_pipeline import RedisCommands, Script

CANDIDATE_BYTES = 8

VERSION_SECONDS = 3600
"""How long the server keeps a version; a later request creates another one."""

CHANGING_SECONDS = 600
"""How long a marker is kept if the process that set it has died: longer than any transaction takes."""

READ_VERSION = f"""
local function read_version(name, candidate)
  local version = redis.call('GET', name)
  if not version then
    version = candidate
    redis.call('SET', name, version, 'EX', {VERSION_SECONDS})
  end
  return string.sub(version, 1, 1) ~= '~' and version
end
"""
"""Lua that defines ``read_version(name, candidate)``: false while the account is being changed."""

_BEGIN = f"""
local tokens = redis.call('GET', KEYS[1])
if not tokens or string.sub(tokens, 1, 1) ~= '~' then tokens = '' end
redis.call('SET', KEYS[1], tokens .. '~' .. ARGV[1], 'EX', {CHANGING_SECONDS})
"""

_END = f"""
local others = string.gsub(redis.call('GET', KEYS[1]) or '', '~' .. ARGV[1], '')
if string.sub(others, 1, 1) == '~' then
  redis.call('SET', KEYS[1], others, 'KEEPTTL')
else
  redis.call('SET', KEYS[1], ARGV[2], 'EX', {VERSION_SECONDS})
end
"""


def version_key(account_id: int) -> str:
    """Return the Redis key of an account's version; in a cluster, it is in the slot of the account's rate limits."""
    return f"amarevents:version:{{{account_id}}}"


def new_version() -> str:
    """Return a random version, or a token of a change."""
    return secrets.token_hex(CANDIDATE_BYTES)


class AccountVersions:
    """Announces changes to accounts. Raises the exceptions of the client while Redis is unavailable."""

    def __init__(self, commands: RedisCommands) -> None:
        self._commands = commands
        self._begin = Script(commands, _BEGIN)
        self._end = Script(commands, _END)

    async def begin(self, account_id: int, token: str) -> None:
        """Mark the account as being changed."""
        await self._begin.run([version_key(account_id)], [token])

    async def end(self, account_id: int, token: str) -> None:
        """Remove the mark, and give the account a new version unless other changes to it are going on."""
        await self._end.run([version_key(account_id)], [token, new_version()])

    async def aclose(self) -> None:
        await self._commands.aclose()
