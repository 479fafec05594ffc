"""Finished answers to anonymous callers, kept in the memory of the process until what they show changes."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from functools import cached_property

from amarevents.infra.single_flight import SingleFlight
from amarevents.infra.versions import Versions

MAX_ANSWERS = 10_000
MAX_BYTES = 32 * 1024 * 1024
"""The size of all answers that are kept; the least recently used ones are dropped."""

MAX_KEY_BYTES = 8_192
"""Requests with a longer key are answered, but their answers are not kept."""

_OVERHEAD = 1_000
"""An estimate of the bytes that an answer takes apart from its body and its key."""


class NotReusable(Exception):
    """Raised in place of an answer that other requests must not get."""


@dataclass(eq=False)
class Answer:
    """The body of a successful answer. ``units`` is what a request for it is charged."""

    body: bytes
    media_type: bytes
    scopes: frozenset[str]
    """The scopes whose changes may change the answer."""
    units: int = 1
    compressed: bytes | None = None
    """The body in the gzip format, once a client has asked for it."""

    @cached_property
    def tag(self) -> str:
        """A hash of the body."""
        return hashlib.blake2b(self.body, digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class _Kept:
    answer: Answer
    clock: int
    made_at: float
    size: int


class AnswerCache:
    """Answers by the request that they are for, each for at most ``seconds``; 0 disables it.

    An answer is dropped when one of its scopes changes: at once if this process has changed it, and within moments if
    another one has. An answer that was made of rows from before a change is not kept.
    """

    def __init__(self, versions: Versions, *, seconds: float) -> None:
        self.seconds = seconds
        self._versions = versions
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._bytes = 0
        self._making: SingleFlight[Answer] = SingleFlight(versions)

    def find(self, key: bytes) -> Answer | None:
        """Return the current answer to a request, if it is kept."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        is_young = time.monotonic() - kept.made_at < self._versions.max_age(self.seconds)
        if is_young and not self._versions.changed_since(kept.clock, kept.answer.scopes):
            self._kept.move_to_end(key)
            return kept.answer
        self._drop(key)
        return None

    async def make(self, key: bytes, compute: Callable[[], Awaitable[Answer]]) -> Answer:
        """Return the answer that ``compute`` returns, once for all simultaneous requests, and keep it.

        Exceptions are for the request whose call raised them; the other requests compute the answer on their own.
        """
        return await self._making.run(key, lambda: self._make(key, compute))

    async def _make(self, key: bytes, compute: Callable[[], Awaitable[Answer]]) -> Answer:
        clock, made_at = self._versions.clock, time.monotonic()
        answer = await compute()
        if len(key) <= MAX_KEY_BYTES and not self._versions.changed_since(clock, answer.scopes):
            # The compressed body, which is made later, is the smaller one.
            size = 2 * len(answer.body) + len(key) + _OVERHEAD
            self._keep(key, _Kept(answer, clock, made_at, size))
        return answer

    def _keep(self, key: bytes, kept: _Kept) -> None:
        self._drop(key)
        self._kept[key] = kept
        self._bytes += kept.size
        while self._bytes > MAX_BYTES or len(self._kept) > MAX_ANSWERS:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        dropped = self._kept.pop(key, None)
        if dropped is not None:
            self._bytes -= dropped.size
