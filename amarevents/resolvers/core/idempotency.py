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
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from amarevents import errors
from amarevents.models import IdempotencyRecord
from amarevents.models.db.connection import violates
from amarevents.security.context import Context
from amarevents.text import compact

T = TypeVar("T")

LIFETIME_HOURS = 24
LIFETIME = datetime.timedelta(hours=LIFETIME_HOURS)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
# A position behind the last one is stored as the last one.
_ADJUSTED = {"position"}

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
    await _delete_if_expired(ctx, digest)
    if (record := await IdempotencyRecord.get_or_none(digest=digest)) is not None:
        return _replay(ctx, record, fingerprint, request=request, answer=answer)
    try:
        return await _do_and_record(ctx, digest, fingerprint, answer=answer, work=work)
    except IntegrityError as error:
        if not violates(error, "digest"):
            raise
    record = await IdempotencyRecord.get(digest=digest)
    return _replay(ctx, record, fingerprint, request=request, answer=answer)


async def _do_and_record(
    ctx: Context, digest: str, fingerprint: str, *, answer: TypeAdapter[T], work: Callable[[], Awaitable[T]]
) -> T:
    async with in_transaction():
        record = await _claim(ctx, digest, fingerprint)
        view = await work()
        # Fields that may be shown only once are excluded from the record by their view (``exclude``).
        record.answer = answer.dump_json(view).decode()
        record.user_id = record.user_id or ctx.created_account_id  # the record is deleted with the account
        await record.save(update_fields=["answer", "user_id"])
    return view


async def _claim(ctx: Context, digest: str, fingerprint: str) -> IdempotencyRecord:
    """Create the record. Raises IntegrityError if the key is in use, Unauthenticated if the account was deleted."""
    user_id = ctx.principal.account.id if ctx.principal.account else None
    try:
        return await IdempotencyRecord.create(digest=digest, fingerprint=fingerprint, user_id=user_id)
    except IntegrityError as error:
        if violates(error, "digest"):
            raise
        raise errors.Unauthenticated from error


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


async def _delete_if_expired(ctx: Context, digest: str) -> None:
    await IdempotencyRecord.filter(digest=digest, created_at__lt=ctx.now - LIFETIME).delete()


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
