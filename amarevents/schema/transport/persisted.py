"""Apollo's automatic persisted queries: a document sent once with its SHA-256, and from then on named by it.

At most ``BUCKETS * PER_BUCKET`` documents of ``MAX_BYTES`` are kept, whoever sends them: each hash has its bucket, in
which the oldest gives way. Nothing depends on them. What has gone is not found, and the client sends it again.
"""

import hashlib
import logging
import re
from dataclasses import replace
from typing import Any

from aiocache.base import BaseCache

from amarevents import errors
from amarevents.infra.count_cache import CACHE_FAILURES
from amarevents.schema.transport.operations import GraphQLRequest

logger = logging.getLogger(__name__)

MAX_BYTES = 8_192
BUCKETS = 256
PER_BUCKET = 4
SECONDS = 24 * 60 * 60

_VERSION = 1
_HASH = re.compile(r"[0-9a-f]{64}")


class PersistedQueryNotFound(errors.BadRequest):
    """The client is to send the document with its hash; Apollo's clients know the message, others the code."""

    code = "PERSISTED_QUERY_NOT_FOUND"
    message = "PersistedQueryNotFound"


class PersistedQueryMismatch(errors.BadRequest):
    code = "PERSISTED_QUERY_MISMATCH"
    message = "'sha256Hash' is not the SHA-256 of this query"


def persisted_query_hash(extensions: dict[str, Any]) -> str | None:  # Any: JSON
    """The hash that a request's ``extensions`` name. Raises BadRequest for one that is none."""
    named = extensions.get("persistedQuery")
    if named is None:
        return None
    if not isinstance(named, dict) or named.get("version") != _VERSION:
        raise errors.BadRequest("'persistedQuery' must be an object with version 1 and sha256Hash")
    given = named.get("sha256Hash")
    if not isinstance(given, str) or not _HASH.fullmatch(given):
        raise errors.BadRequest("'sha256Hash' must be a SHA-256 in 64 lower-case hexadecimal digits")
    return given


async def resolve_persisted_query(asked: GraphQLRequest, cache: BaseCache) -> GraphQLRequest:
    """The request with the document that its hash names.

    Raises PersistedQueryNotFound, and PersistedQueryMismatch for a document that its hash does not fit.
    """
    if asked.persisted_hash is None:
        return asked
    if asked.query:
        if hashlib.sha256(asked.query.encode()).hexdigest() != asked.persisted_hash:
            raise PersistedQueryMismatch
        return asked
    query = (await _kept(asked.persisted_hash, cache)).get(asked.persisted_hash)
    if query is None:
        raise PersistedQueryNotFound
    return replace(asked, query=query)


async def remember(asked: GraphQLRequest, cache: BaseCache) -> None:
    """Keep a document that came with its hash, and has been found good, for whoever names it next."""
    named, query = asked.persisted_hash, asked.query
    if named is None or not query or len(query.encode()) > MAX_BYTES:
        return
    others = await _kept(named, cache)
    if named in others:
        return
    newest = list(others.items())[-(PER_BUCKET - 1) :]
    try:
        await cache.set(_bucket(named), {**dict(newest), named: query}, ttl=SECONDS)
    except CACHE_FAILURES as error:
        logger.warning("A persisted query is not kept, the cache is away: %r", error)


async def _kept(named: str, cache: BaseCache) -> dict[str, str]:
    """The documents in the bucket of this hash, oldest first; none while the cache is away."""
    try:
        return await cache.get(_bucket(named)) or {}
    except CACHE_FAILURES as error:
        logger.warning("No persisted query is found, the cache is away: %r", error)
        return {}


def _bucket(named: str) -> str:
    return f"documents:{int(named, 16) % BUCKETS}"
