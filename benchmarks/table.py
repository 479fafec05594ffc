"""Results as lines of text."""

from collections.abc import Sequence

from benchmarks.measuring import Fact, Result


def result_line(result: Result) -> str:
    """Return a row: rates, ratios, the processor time of a request and the slowest hundredth."""
    yardstick = f"{result.yardstick_rate:7.0f}/s" if result.yardstick else " " * 9
    ratio = "" if result.ratio is None else f"ratio {result.ratio:.2f}"
    processor = "" if result.processor_ratio is None else f"(processor {result.processor_ratio:.2f})"
    return (
        f"{result.row.name:22}{result.rate:7.0f}/s {yardstick}  {ratio:10} {processor:17} "
        f"{result.milliseconds:6.2f} ms  p99 {result.p99_ms:6.1f} ms  {verdict(result)}"
    )


def fact_line(fact: Fact) -> str:
    """Return a fact and whether it is as it must be."""
    return f"{fact.title}: {number(fact)}, ≤ {fact.limit:g} {fact.unit} {'met' if fact.reached else 'MISSED'}"


def number(fact: Fact) -> str:
    """Return the value of a fact with its unit, to three digits."""
    return f"{fact.value:.3g} {fact.unit}"


def demanded(result: Result) -> str:
    """Return what a row must reach, or an empty text."""
    if result.row.ratio is not None:
        return f"≥ {result.row.ratio}"
    return "" if result.row.milliseconds is None else f"≤ {result.row.milliseconds} ms"


def verdict(result: Result) -> str:
    """Return what a row must reach and whether it does, or an empty text."""
    return "" if result.reached is None else f"{demanded(result)} {'met' if result.reached else 'MISSED'}"


def summary(results: Sequence[Result], facts: Sequence[Fact]) -> str:
    """Return how many targets are met, and which are missed."""
    judged = sum(result.reached is not None for result in results) + len(facts)
    names = missed(results, facts)
    counted = f"{judged - len(names)} of {judged} targets are met."
    return f"{counted} Missed: {', '.join(names)}" if names else counted


def missed(results: Sequence[Result], facts: Sequence[Fact]) -> list[str]:
    """Return the names of what is not as good as it must be."""
    names = [result.row.name for result in results if result.reached is False]
    return names + [fact.name for fact in facts if not fact.reached]
