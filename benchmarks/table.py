"""The results of the rows as lines of text."""

from collections.abc import Sequence

from benchmarks.measuring import Result, median_rate


def print_result(result: Result) -> None:
    """Print a row as soon as it has been measured."""
    print(_line(result), flush=True)


def print_summary(results: Sequence[Result]) -> None:
    """Print which rows miss what they must reach."""
    judged = [result for result in results if result.reached is not None]
    missed = [result.row.name for result in judged if not result.reached]
    print(f"{len(judged) - len(missed)} of {len(judged)} targets are met.", *(["Missed:", *missed] if missed else []))


def _line(result: Result) -> str:
    yardstick = f"{median_rate(result.yardstick):7.0f}/s" if result.yardstick else " " * 9
    ratio = "" if result.ratio is None else f"ratio {result.ratio:.2f}"
    processor = "" if result.processor_ratio is None else f"(processor {result.processor_ratio:.2f})"
    return (
        f"{result.row.name:22}{result.rate:7.0f}/s {yardstick}  {ratio:10} {processor:17} "
        f"{result.milliseconds:6.2f} ms  p99 {result.p99_ms:6.1f} ms  {_verdict(result)}"
    )


def _verdict(result: Result) -> str:
    row = result.row
    if result.reached is None:
        return ""
    demanded = f"≥ {row.ratio}" if row.ratio is not None else f"≤ {row.milliseconds} ms"
    return f"{demanded} {'met' if result.reached else 'MISSED'}"
