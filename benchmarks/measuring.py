"""Measurements of a row: the platform and its yardstick in turns, after a comparison of their answers."""

import os
import statistics
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks.rows import Comparison
from benchmarks.wrk import Load, Request, put_load

_TICKS = os.sysconf("SC_CLK_TCK")
_MEGABYTE = 1024 * 1024
_WARM_UP_SECONDS = 1


class AnswersDiffer(Exception):
    """The platform and its yardstick do not answer the same."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server that is measured: its address, and its process, whose processor time counts."""

    url: str
    pid: int

    def processor_seconds(self) -> float:
        """Return the processor time that the process has used, in all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_megabytes(self) -> float:
        """Return the memory of the process."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / _MEGABYTE

    def answer_to(self, request: Request) -> dict[str, object]:
        """Return the JSON object of the answer, which must be successful."""
        asked = urllib.request.Request(  # noqa: S310 - a server of ours
            self.url + request.path, request.body, dict(request.headers), method=request.method
        )
        with urllib.request.urlopen(asked) as response:  # noqa: S310
            body: dict[str, object] = orjson.loads(response.read())
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
        return median_rate(self.ours)

    @property
    def milliseconds(self) -> float:
        return statistics.median(sample.milliseconds for sample in self.ours)

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


def median_rate(samples: Sequence[Sample]) -> float:
    """Return the requests per second."""
    return statistics.median(sample.load.rate for sample in samples)


def measure(row: Comparison, ours: Target, bare: Target | None, *, rounds: int, seconds: int) -> Result:
    """Measure a row. Raises AnswersDiffer, or LoadFailed if a response is not successful."""
    yardstick = ours if row.against_itself else bare
    sides = [(ours, row.ours)]
    if yardstick is not None and row.yardstick:
        _require_same_answers(row, ours, yardstick)
        sides.append((yardstick, row.yardstick))
    samples: list[list[Sample]] = [[] for _ in sides]
    for target, requests in sides:
        put_load(target.url, requests, _WARM_UP_SECONDS)
    for _ in range(rounds):
        for (target, requests), taken in zip(sides, samples, strict=True):
            taken.append(_sample(target, requests, seconds))
    return Result(row=row, ours=samples[0], yardstick=samples[1] if len(samples) > 1 else ())


def _sample(target: Target, requests: Sequence[Request], seconds: int) -> Sample:
    before = target.processor_seconds()
    load = put_load(target.url, requests, seconds)
    return Sample(load, (target.processor_seconds() - before) * 1000 / load.requests)


def _require_same_answers(row: Comparison, ours: Target, yardstick: Target) -> None:
    last = -1  # of a mixture, the request that is asked least
    for index in (0, last):
        answered, expected = ours.answer_to(row.ours[index]), yardstick.answer_to(row.yardstick[index])
        answered.pop("extensions", None)  # the cost of a GraphQL operation, which only the platform has
        pair = (answered, expected) if row.same_answer else (_shape(answered), _shape(expected))
        if pair[0] != pair[1]:
            raise AnswersDiffer(f"{row.name}: {_first_difference(*pair)}")


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
