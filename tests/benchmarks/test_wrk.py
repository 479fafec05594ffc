"""What reports of ``wrk`` say, and the scripts that it runs."""

import pytest

from benchmarks.wrk import LoadFailed, NoResponse, Request, lua_script, parse_report

REPORT = """Running 2s test @ http://127.0.0.1:19696
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   904.63ms  371.21ms   1.37s    67.86%
    Req/Sec    28.58     10.32    50.00     73.68%
  Latency Distribution
     50%  950.00us
     75%    1.23s 
     90%    1.27s 
     99%    1.37s 
  56 requests in 2.00s, 21.67KB read
Requests/sec:     27.87
Transfer/sec:     10.78KB
"""  # noqa: W291 - as wrk writes it


def test_report_has_the_rate_and_the_latencies() -> None:
    load = parse_report(REPORT)
    assert (load.rate, load.median_ms, load.p99_ms) == pytest.approx((28.0, 0.95, 1370.0))


@pytest.mark.parametrize(
    "failure",
    ["  Non-2xx or 3xx responses: 1", "  Socket errors: connect 0, read 3, write 0, timeout 0"],
)
def test_single_failure_fails_the_load(failure: str) -> None:
    with pytest.raises(LoadFailed, match=failure.strip()):
        parse_report(f"{REPORT}{failure}\n")


def test_load_without_a_response_fails() -> None:
    with pytest.raises(NoResponse):
        parse_report(REPORT.replace("56 requests", "0 requests"))


def test_script_sends_requests_in_turns_and_formats_each_once() -> None:
    read = Request(path="/api/events/1")
    write = Request(path="/api/tickets", method="POST", body=b'{"event_id":1}', headers={"Authorization": "Bearer x"})
    script = lua_script([read, read, write])
    assert script.count("wrk.format") == 2
    assert '[==[/api/tickets]==], {[ [==[Authorization]==] ]=[==[Bearer x]==]}, [==[{"event_id":1}]==])' in script
    assert "[[1 1 2]]" in script
