"""Load by ``wrk``: requests as a Lua script, and what its report says."""

import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CONNECTIONS = 32

# The order is a text, because a function can have only 65,536 constants.
_SCRIPT = """
local requests, order, position = {}, {}, 0
function init()
%s
  for number in ([[%s]]):gmatch("%%d+") do order[#order + 1] = requests[tonumber(number)] end
end
function request()
  position = position %% #order + 1
  return order[position]
end
"""
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


class LoadFailed(Exception):
    """A response was not successful or not as expected, or a connection failed."""


class NoResponse(LoadFailed):
    """There was not one response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request that load consists of."""

    path: str
    method: str = "GET"
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What was measured: successful requests, and latencies in milliseconds."""

    requests: int
    seconds: float
    median_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """The requests per second."""
        return self.requests / self.seconds


def put_load(url: str, requests: Sequence[Request], seconds: int) -> Load:
    """Send the requests in turns over ``CONNECTIONS`` connections. Raises LoadFailed unless all are successful."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "requests.lua"
        script.write_text(lua_script(requests), encoding="utf-8")
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "--timeout", "30s"]
        report = subprocess.run([*command, "-s", str(script), url], check=True, capture_output=True, text=True).stdout
    return parse_report(report)


def lua_script(requests: Sequence[Request]) -> str:
    """Return the script by which wrk sends the requests in turns; each object is formatted only once."""
    distinct = {id(request): request for request in requests}
    numbers = {identity: number for number, identity in enumerate(distinct, start=1)}
    lines = [
        f"  requests[{numbers[identity]}] = wrk.format({_text(request.method)}, {_text(request.path)}, "
        f"{_table(request.headers)}, {_text(request.body.decode()) if request.body else 'nil'})"
        for identity, request in distinct.items()
    ]
    return _SCRIPT % ("\n".join(lines), " ".join(str(numbers[id(request)]) for request in requests))


def _text(value: str) -> str:
    return f"[==[{value}]==]"


def _table(headers: Mapping[str, str]) -> str:
    # wrk.format writes only the headers given here besides Host, which it adds to the table in place.
    return "{%s}" % ", ".join(f"[ {_text(name)} ]={_text(value)}" for name, value in headers.items())


def parse_report(report: str) -> Load:
    """Return what a report of wrk says. Raises LoadFailed if it has failed requests, or none at all."""
    if found := re.search(r"Non-2xx.*|Socket errors.*", report):
        raise LoadFailed(found[0])
    total = re.search(r"(\d+) requests in ([0-9.]+)(us|ms|s|m)\b", report)
    if total is None or total[1] == "0":
        raise NoResponse("no response within the round")
    return Load(
        requests=int(total[1]),
        seconds=_milliseconds(total[2], total[3]) / 1000,
        median_ms=_percentile(report, "50%"),
        p99_ms=_percentile(report, "99%"),
    )


def _percentile(report: str, name: str) -> float:
    found = re.search(rf"^\s+{name}\s+([0-9.]+)(us|ms|s|m)\b", report, re.MULTILINE)
    if found is None:
        raise LoadFailed("no latencies in the report of wrk")
    return _milliseconds(found[1], found[2])


def _milliseconds(number: str, unit: str) -> float:
    return float(number) * _UNITS[unit]
