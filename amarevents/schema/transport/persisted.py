"""Automatic persisted queries, as in Apollo: a document is sent once with its SHA-256, and by its hash from then on.

The cache holds at most ``BUCKETS * PER_BUCKET`` documents of up to ``MAX_BYTES`` bytes. Each hash belongs to one
bucket, in which a new document replaces the oldest one. Documents may be lost at any time: the client then gets
PERSISTED_QUERY_NOT_FOUND and sends the document again.
"""

import hashlib
import logging
import re
from collections.abc import Mapping
from dataclasses import replace

from aiocache.base import BaseCache

from amarevents import errors
from amarevents.infra.cache import CACHE_FAILURES
from amarevents.schema.transport.operations import GraphQLRequest

logger = logging.getLogger(__name__)

MAX_BYTES = 8_192
BUCKETS = 256
PER_BUCKET = 4
SECONDS = 24 * 60 * 60
"""How long a document is kept."""

_VERSION = 1
_HASH = re.compile(r"[0-9a-f]{64}")


class PersistedQueryNotFound(errors.BadRequest):
    """The client must send the document with its hash. Apollo's clients look at the message, others at the code."""

    code = "PERSISTED_QUERY_NOT_FOUND"
    message = "PersistedQueryNotFound"


class PersistedQueryMismatch(errors.BadRequest):
    code = "PERSISTED_QUERY_MISMATCH"
    message = "'sha256Hash' does not match the SHA-256 of 'query'"


def persisted_query_hash(extensions: Mapping[str, object]) -> str | None:
    """Return the hash in the ``extensions`` of a request, if any. Raises BadRequest if it is not valid."""
    persisted = extensions.get("persistedQuery")
    if persisted is None:
        return None
    if not isinstance(persisted, dict) or persisted.get("version") != _VERSION:
        raise errors.BadRequest("'persistedQuery' must be an object with version 1 and sha256Hash")
    sha256_hash = persisted.get("sha256Hash")
    if not isinstance(sha256_hash, str) or not _HASH.fullmatch(sha256_hash):
        raise errors.BadRequest("'sha256Hash' must be a SHA-256 of 64 lowercase hexadecimal digits")
    return sha256_hash


async def resolve_persisted_query(request: GraphQLRequest, cache: BaseCache) -> GraphQLRequest:
    """Return the request with the document that its hash identifies.

    Raises PersistedQueryNotFound, and PersistedQueryMismatch if the request contains a document with another hash.
    """
    if request.persisted_hash is None:
        return request
    if request.query:
        if hashlib.sha256(request.query.encode()).hexdigest() != request.persisted_hash:
            raise PersistedQueryMismatch
        return request
    query = (await _load_bucket(request.persisted_hash, cache)).get(request.persisted_hash)
    if query is None:
        raise PersistedQueryNotFound
    return replace(request, query=query)


async def store_persisted_query(request: GraphQLRequest, cache: BaseCache) -> None:
    """Store the document of a request that came with its hash and has been executed."""
    sha256_hash, query = request.persisted_hash, request.query
    if sha256_hash is None or not query or len(query.encode()) > MAX_BYTES:
        return
    others = await _load_bucket(sha256_hash, cache)
    if sha256_hash in others:
        return
    newest = list(others.items())[-(PER_BUCKET - 1) :]
    try:
        await cache.set(_bucket_key(sha256_hash), {**dict(newest), sha256_hash: query}, ttl=SECONDS)
    except CACHE_FAILURES as error:
        logger.warning("Cannot store a persisted query because the cache is unavailable: %r", error)


async def _load_bucket(sha256_hash: str, cache: BaseCache) -> dict[str, str]:
    """Return the documents in the bucket of a hash, oldest first; none while the cache is unavailable."""
    try:
        return await cache.get(_bucket_key(sha256_hash)) or {}
    except CACHE_FAILURES as error:
        logger.warning("Cannot look up a persisted query because the cache is unavailable: %r", error)
        return {}


def _bucket_key(sha256_hash: str) -> str:
    return f"documents:{int(sha256_hash, 16) % BUCKETS}"
