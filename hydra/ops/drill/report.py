"""What came of the drills: for a terminal, for a file, and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Annotated

import msgspec

Seconds = Annotated[float, msgspec.Meta(ge=0)]


class Verdict(Enum):
    """How a drill ended. Only `PASSED` is good news."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_DONE = "not done"
    """The fault could not be caused, or nothing could be seen of it. That proves nothing."""


class DrillResult(msgspec.Struct, frozen=True, kw_only=True):
    """One drill: what was done, what had to follow within which bound, and what did.

    `took_s` is machine time from the fault to what had to follow, as seen from outside on the disk;
    None: it never came. `faults` are what else was wrong: the judge's findings, orders that should
    not have been sent, an engine that did not end as it had to. `kept` is the folder with the
    evidence of a drill that did not pass.
    """

    drill: str
    fault: str
    rule: str
    invariants: str
    bound_s: Seconds
    took_s: Seconds | None = None
    faults: tuple[str, ...] = ()
    not_done: str = ""
    kept: str = ""

    @property
    def verdict(self) -> Verdict:
        """Late is failed, and so is never."""
        if self.not_done:
            return Verdict.NOT_DONE
        is_in_time = self.took_s is not None and self.took_s <= self.bound_s
        return Verdict.PASSED if is_in_time and not self.faults else Verdict.FAILED


class DrillReport(msgspec.Struct, frozen=True, kw_only=True):
    """All that was drilled in one go. `at` is the machine's time (RFC 3339, UTC).

    `code` names the code that was drilled, `commit` where it is from ("" if nobody knows),
    `configuration` the digest of the settings that were given, `drilled` of those that the engine
    ran with: drills add a bot of their own. `lasted_s` is of all of them together.
    """

    version: str
    code: str
    commit: str
    configuration: str
    drilled: str
    at: str
    venue: str
    lasted_s: Seconds
    results: tuple[DrillResult, ...]

    @property
    def passed(self) -> bool:
        """Nothing drilled is nothing proven."""
        return bool(self.results) and all(
            result.verdict is Verdict.PASSED for result in self.results
        )


def report_from(content: bytes) -> DrillReport:
    """One that was left in a file. Raises `msgspec.ValidationError`, `msgspec.DecodeError`."""
    return msgspec.json.decode(content, type=DrillReport)


def as_json(report: DrillReport) -> bytes:
    """For programs: the report, with each drill's verdict and the one of all."""
    content = msgspec.to_builtins(report)
    for entry, result in zip(content["results"], report.results, strict=True):
        entry["verdict"] = result.verdict.value
    content["passed"] = report.passed
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"


def line_of(result: DrillResult) -> str:
    """One drill in one line: verdict, name, time, bound, rule."""
    took = "never" if result.took_s is None else f"{result.took_s:.2f} s"
    if result.not_done:
        took = "-"
    return (
        f"{result.verdict.value:8}  {result.drill:15} {took:>8} of {result.bound_s:>5g} s"
        f"  {result.rule} ({result.invariants})"
    )


def details_of(result: DrillResult) -> Iterator[str]:
    """What belongs to it besides, if anything is wrong."""
    if result.not_done:
        yield f"    not done: {result.not_done}"
    yield from (f"    {fault}" for fault in result.faults)
    if result.kept:
        yield f"    what it left: {result.kept}"


def lines_of(report: DrillReport) -> Iterator[str]:
    """The whole report for people."""
    for result in report.results:
        yield line_of(result)
        yield from details_of(result)
    yield summary_of(report.results, report.lasted_s, report.venue)
    yield f"Hydra {report.version}, code {report.code}, configuration {report.configuration}"


def summary_of(results: Sequence[DrillResult], lasted_s: float, venue: str) -> str:
    """The last word: how many passed, and which did not."""
    bad = [result.drill for result in results if result.verdict is not Verdict.PASSED]
    passed = len(results) - len(bad)
    which = f"; not passed: {', '.join(bad)}" if bad else ""
    return f"{passed} of {len(results)} drills passed on {venue}, in {lasted_s:.0f} s{which}"
