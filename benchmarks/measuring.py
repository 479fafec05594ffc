"""Measurements of a row: the platform and its yardstick in turns, after a comparison of their answers."""

import os
import statistics
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks.rows import Comparison
from benchmarks.wrk import Load, LoadFailed, NoResponse, Request, put_load

_TICKS = os.sysconf("SC_CLK_TCK")
_MEGABYTE = 1024 * 1024
_WARM_UP_SECONDS = 1
_PAUSE_SECONDS, _QUIET_PAUSES, _MOST_PAUSES = 0.1, 3, 300
_IDLE = 0.2  # the share of the time for which a resting process may be busy


@dataclass(frozen=True, slots=True)
class Target:
    """A server that is measured: its address, and its process, whose processor time counts."""

    url: str
    pid: int

    def processor_seconds(self) -> float:
        """Return the processor time that the process has used, in all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        user, system = fields[11:13]
        return (int(user) + int(system)) / _TICKS

    def processor_seconds_at_rest(self) -> float:
        """Return the processor time once the process has finished what earlier load left behind."""
        quiet, used = 0, self.processor_seconds()
        for _ in range(_MOST_PAUSES):
            time.sleep(_PAUSE_SECONDS)
            before, used = used, self.processor_seconds()
            quiet = quiet + 1 if used - before <= _PAUSE_SECONDS * _IDLE else 0
            if quiet == _QUIET_PAUSES:
                break
        return used

    def resident_megabytes(self) -> float:
        """Return the memory of the process, once it rests."""
        self.processor_seconds_at_rest()
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / _MEGABYTE

    def answer_to(self, request: Request) -> dict[str, object]:
        """Return the JSON object of the answer. Raises LoadFailed if it is not successful."""
        asked = urllib.request.Request(  # noqa: S310 - a server of ours
            self.url + request.path, request.body, dict(request.headers), method=request.method
        )
        try:
            with urllib.request.urlopen(asked) as response:  # noqa: S310
                body: dict[str, object] = orjson.loads(response.read())
        except urllib.error.HTTPError as error:
            raise LoadFailed(f"{request.method} {request.path} is {error.code}: {error.read()!r:.300}") from error
        return body


@dataclass(frozen=True, slots=True)
class Sample:
    """One round of load on one server."""

    load: Load
    milliseconds: float
    """The processor time of a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The rounds of a row; without a yardstick, ``yardstick`` is empty."""

    row: Comparison
    ours: Sequence[Sample]
    yardstick: Sequence[Sample] = ()

    @property
    def rate(self) -> float:
        """Our requests per second."""
        return _median_rate(self.ours)

    @property
    def yardstick_rate(self) -> float:
        """The requests per second of the yardstick."""
        return _median_rate(self.yardstick)

    @property
    def milliseconds(self) -> float:
        """Our processor time of a request."""
        return statistics.median(sample.milliseconds for sample in self.ours)

    @property
    def yardstick_milliseconds(self) -> float | None:
        """The processor time of a request to the yardstick."""
        return statistics.median(sample.milliseconds for sample in self.yardstick) if self.yardstick else None

    @property
    def p99_ms(self) -> float:
        return statistics.median(sample.load.p99_ms for sample in self.ours)

    @property
    def ratio(self) -> float | None:
        """Our throughput in relation to that of the yardstick, the median of the rounds."""
        pairs = zip(self.ours, self.yardstick, strict=False)
        return statistics.median(a.load.rate / b.load.rate for a, b in pairs) if self.yardstick else None

    @property
    def processor_ratio(self) -> float | None:
        """The processor time of the yardstick in relation to ours: like ``ratio``, more is better."""
        pairs = zip(self.ours, self.yardstick, strict=False)
        return statistics.median(b.milliseconds / a.milliseconds for a, b in pairs) if self.yardstick else None

    @property
    def reached(self) -> bool | None:
        """Whether the row is as good as it must be, None if nothing is demanded."""
        if self.row.ratio is not None and self.ratio is not None:
            return self.ratio >= self.row.ratio
        return None if self.row.milliseconds is None else self.milliseconds <= self.row.milliseconds


@dataclass(frozen=True, slots=True)
class Fact:
    """A number that is not the result of load, and how large it may be."""

    name: str
    title: str
    value: float
    unit: str
    limit: float

    @property
    def reached(self) -> bool:
        return self.value <= self.limit


def _median_rate(samples: Sequence[Sample]) -> float:
    return statistics.median(sample.load.rate for sample in samples)


def measure(row: Comparison, ours: Target, bare: Target | None, *, rounds: int, seconds: int) -> Result:
    """Measure a row. Raises LoadFailed if a response is not successful, or not the same as that of the yardstick."""
    yardstick = ours if row.against_itself else bare
    sides = [(ours, row.ours)]
    if yardstick is not None and row.yardstick:
        _require_same_answers(row, ours, yardstick)
        sides.append((yardstick, row.yardstick))
    samples: list[list[Sample]] = [[] for _ in sides]
    for target, requests in sides:
        target.processor_seconds_at_rest()
        with suppress(NoResponse):  # of what takes long
            put_load(target.url, requests, _WARM_UP_SECONDS)
    for _ in range(rounds):
        for (target, requests), taken in zip(sides, samples, strict=True):
            taken.append(_sample(target, requests, seconds))
    return Result(row=row, ours=samples[0], yardstick=samples[1] if len(samples) > 1 else ())


def _sample(target: Target, requests: Sequence[Request], seconds: int) -> Sample:
    before = target.processor_seconds_at_rest()
    load = put_load(target.url, requests, seconds)
    return Sample(load, (target.processor_seconds() - before) * 1000 / load.requests)


def _require_same_answers(row: Comparison, ours: Target, yardstick: Target) -> None:
    last = -1  # of a mixture, the request that is asked least
    for index in (0, last):
        answered, expected = ours.answer_to(row.ours[index]), yardstick.answer_to(row.yardstick[index])
        answered.pop("extensions", None)  # the cost of a GraphQL operation, which only the platform has
        pair = (answered, expected) if row.same_answer else (_shape(answered), _shape(expected))
        if pair[0] != pair[1]:
            raise LoadFailed("the answer differs: " + _first_difference(*pair))


def _shape(value: object) -> object:
    """Return the names of a JSON value without the texts and numbers."""
    if isinstance(value, dict):
        return {name: _shape(part) for name, part in value.items()}
    return [_shape(part) for part in value] if isinstance(value, list) else None


def _first_difference(answered: object, expected: object, path: str = "") -> str:
    """Return where two JSON values differ, and how."""
    if isinstance(answered, dict) and isinstance(expected, dict) and answered.keys() == expected.keys():
        parts = [(f"{path}.{name}", answered[name], expected[name]) for name in answered]
    elif isinstance(answered, list) and isinstance(expected, list) and len(answered) == len(expected):
        parts = [(f"{path}[{index}]", *pair) for index, pair in enumerate(zip(answered, expected, strict=True))]
    else:
        return f"{path} is {answered!r:.500} instead of {expected!r:.500}"
    return next(_first_difference(a, b, where) for where, a, b in parts if a != b)
