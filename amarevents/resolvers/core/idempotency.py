"""Idempotent requests: repeating an Idempotency-Key with the same body repeats the answer (decisions 6.11).

The record is written in the transaction that does the work. A concurrent request with the same key waits for it, at
the unique index (PostgreSQL) or at the write lock (SQLite). A failure leaves neither a record nor any changes, so the
request can be retried. Records are kept for 24 hours.

The migration 0009 has emptied the fingerprints of earlier versions, which normalized requests otherwise. Those records
answer a request that agrees with their answer: a retry must not do the work twice because of an upgrade.
"""

import datetime
import hashlib
import hmac
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import IdempotencyRecord
from amarevents.models.db.sql import Sql, execute
from amarevents.resolvers.core.constraint_errors import integrity_errors
from amarevents.security.context import Context
from amarevents.text import compact

T = TypeVar("T")

LIFETIME_HOURS = 24
LIFETIME = datetime.timedelta(hours=LIFETIME_HOURS)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
# A position behind the last one is stored as the last one.
_ADJUSTED = {"position"}

_CLAIM = """
INSERT INTO idempotency_records (user_id, digest, fingerprint, created_at) VALUES (?, ?, ?, ?)
ON CONFLICT (digest) DO UPDATE
SET user_id = excluded.user_id, fingerprint = excluded.fingerprint, created_at = excluded.created_at, answer = NULL
WHERE idempotency_records.created_at < ?
RETURNING id
"""
_RECORD = "UPDATE idempotency_records SET answer = ?, user_id = COALESCE(user_id, ?) WHERE id = ?"

Request = tuple[str, Mapping[str, object]]
"""The name of an operation, and its arguments as JSON."""


async def run_once(
    ctx: Context,
    key: str,
    *,
    request: Request,
    answer: TypeAdapter[T],
    work: Callable[[], Awaitable[T]],
) -> T:
    """Do the work and record its answer, or return the answer recorded for the same key and request.

    Raises ValidationFailed for a key that is not 1 to 255 printable ASCII characters, IdempotencyMismatch if the key
    was used for a different request, and any error of the work itself.
    """
    if not _KEY.fullmatch(key):
        raise errors.ValidationFailed({"idempotency_key": "must be 1 to 255 printable ASCII characters"})
    digest, fingerprint = _digest(ctx, key), _fingerprint(key, request)
    while True:
        async with in_transaction():
            if record_id := await _claim(ctx, digest, fingerprint):
                view = await work()
                await _record(ctx, record_id, answer.dump_json(view).decode())
                return view
        # A record that has been deleted in between, with its account or because it has expired, leaves the key free.
        if (record := await IdempotencyRecord.get_or_none(digest=digest)) is not None:
            return _replay(ctx, record, fingerprint, request=request, answer=answer)


async def _claim(ctx: Context, digest: str, fingerprint: str) -> int | None:
    """Create the record, or take over one that has expired, and return its ID; None if the key is in use.

    Waits for a transaction that is creating a record of the same key. Raises Unauthenticated if the account has been
    deleted.
    """
    account = ctx.principal.account
    values = (account.id if account else None, digest, fingerprint, ctx.now, ctx.now - LIFETIME)
    with integrity_errors({}, otherwise=errors.Unauthenticated()):
        rows = await execute(Sql(_CLAIM, values))
    return rows[0][0] if rows else None


async def _record(ctx: Context, record_id: int, answer: str) -> None:
    """Store the answer. Its view excludes fields that may be shown only once (``exclude``)."""
    # The record is deleted with the account, also with one that the request has created.
    await execute(Sql(_RECORD, (answer, ctx.created_account_id, record_id)))


def _replay(
    ctx: Context, record: IdempotencyRecord, fingerprint: str, *, request: Request, answer: TypeAdapter[T]
) -> T:
    stored = record.answer or "null"
    if record.fingerprint:
        is_same = hmac.compare_digest(record.fingerprint, fingerprint)
    else:
        is_same = _agrees(request, stored, answer)
    if not is_same:
        raise errors.IdempotencyMismatch
    ctx.replayed = True
    return answer.validate_json(stored)


def _agrees(request: Request, stored: str, answer: TypeAdapter[T]) -> bool:
    """Return whether an answer of an earlier version is one of this operation, with the values that were sent."""
    try:
        answer.validate_json(stored)
    except ValidationError:
        return False
    view, sent = json.loads(stored), request[1].get("data")
    if not isinstance(view, dict) or not isinstance(sent, dict):
        return True
    comparable = [name for name in sent.keys() & view.keys() - _ADJUSTED if isinstance(sent[name], str | int | float)]
    return all(compact(str(sent[name])) == compact(str(view[name])) for name in comparable)


async def purge_expired_records(now: datetime.datetime) -> None:
    """Delete all expired records; called periodically by the server."""
    await IdempotencyRecord.filter(created_at__lt=now - LIFETIME).delete()


def _digest(ctx: Context, key: str) -> str:
    return hashlib.sha256(f"{_principal(ctx)}\n{key}".encode()).hexdigest()


def _principal(ctx: Context) -> str:
    """Return the scope of a key: the API key, the account of the session, or the client address if anonymous."""
    principal = ctx.principal
    if principal.key_id is not None:
        return f"key:{principal.key_id}"
    if principal.account is not None:
        return f"account:{principal.account.id}"
    return f"address:{ctx.address}"


def _fingerprint(key: str, request: Request) -> str:
    """Return an HMAC of the request under the caller's key, so that the record reveals nothing, such as a password."""
    # Not orjson, which rejects integers above 64 bits: literals in GraphQL documents may be larger.
    body = json.dumps(request, sort_keys=True)
    return hmac.new(key.encode(), body.encode(), hashlib.sha256).hexdigest()
