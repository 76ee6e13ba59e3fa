"""The pack put together: what is proven of each control, and what is not, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from typing import Literal

import msgspec

from hydra.ops.code_version import CodeVersion
from hydra.ops.drill.report import DrillReport, Verdict
from hydra.ops.evidence.controls import Control, unlisted
from hydra.ops.evidence.results import Outcome, ServingTests, SuiteResults, names_in
from hydra.settings import Settings
from hydra.settings.entries import entries_of

NAMED_MAX = 3


class Standing(Enum):
    """What a result is worth now."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    STALE = "of other code"
    """Or, of a drill, of another configuration: it says nothing of this one."""
    MISSING = "missing"


class ProofReport(msgspec.Struct, frozen=True, kw_only=True):
    """What `hydra-trader prove` leaves, as far as it is wanted here.

    `asked` is how many days were to be played. A report of before it had code and time reads as of
    no code.
    """

    version: str
    days: int
    lives: int
    orders: int
    failed: Sequence[object]
    asked: int = 0
    code: str = ""
    commit: str = ""
    at: str = ""

    @property
    def passed(self) -> bool:
        """All days were played, and none was broken."""
        return not self.failed and 0 < self.asked <= self.days


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """The last results, None or none where there are none; `tests` says which tests serve what.

    `configurations` are the digests of this configuration, whichever venue it is read for: what was
    drilled on the embedded venue was drilled with it.
    """

    tests: ServingTests
    results: SuiteResults = SuiteResults()
    drills: Sequence[DrillReport] = ()
    proof: ProofReport | None = None
    configurations: frozenset[str] = frozenset()


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """A setting of a control, with the value that is in force."""

    key: str
    value: str
    unit: str


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that shows a control, and its last result. `at` is "" if there is none.

    `took_s` and `bound_s` are of a drill.
    """

    what: Literal["test", "drill"]
    name: str
    standing: Standing
    at: str = ""
    commit: str = ""
    took_s: float | None = None
    bound_s: float | None = None


class ControlEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """A control with all that is known of it; `lacks` is why it is not proven, () if it is."""

    name: str
    rule: str
    checks: tuple[str, ...]
    causes: tuple[str, ...]
    invariants: tuple[str, ...]
    settings: tuple[Setting, ...]
    shown: tuple[Shown, ...]
    lacks: tuple[str, ...]

    @property
    def is_proven(self) -> bool:
        """By results of this code, all of them."""
        return not self.lacks


class ProofEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """The last proof, of the whole engine; `words` are for people."""

    standing: Standing
    words: str


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """The pack. `lacks` is all that keeps it from being complete, in lines for people."""

    version: CodeVersion
    configuration: str
    venue: str
    at: str
    controls: tuple[ControlEvidence, ...]
    brought: tuple[str, ...]
    """Checks of other distributions: they come on top, and their tests are with them."""
    proof: ProofEvidence
    unlisted: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Every control is proven, and there is none besides those of the list."""
        return (
            bool(self.controls)
            and all(control.is_proven for control in self.controls)
            and self.proof.standing is Standing.PASSED
            and not self.unlisted
        )


def assembled(
    controls: Sequence[Control], settings: Settings, version: CodeVersion, inputs: Inputs, at: str
) -> Evidence:
    """Everything, judged. What is missing, skipped, of other code or red is never a pass."""
    return Evidence(
        version=version,
        configuration=settings.digest,
        venue=settings.broker.venue.value,
        at=at,
        controls=tuple(_of(control, settings, version, inputs) for control in controls),
        brought=tuple(settings.plugins.risk_checks),
        proof=_proof(inputs.proof, version),
        unlisted=unlisted(settings, controls),
    )


def _of(
    control: Control, settings: Settings, version: CodeVersion, inputs: Inputs
) -> ControlEvidence:
    entries = [entry for entry in entries_of(settings) if control.rules(entry)]
    names = names_in(inputs.tests, (*control.invariants, *control.tests))
    tests = tuple(_test(name, version, inputs) for name in names)
    drills = tuple(_drill(name, version, inputs) for name in control.drills)
    return ControlEvidence(
        name=control.name,
        rule=control.rule,
        checks=control.checks,
        causes=control.causes,
        invariants=control.invariants,
        settings=tuple(Setting(key=e.key, value=e.text, unit=e.unit) for e in entries),
        shown=(*drills, *tests),
        lacks=(*_lacks_of_tests(tests), *_lacks_of_drills(drills)),
    )


def _test(name: str, version: CodeVersion, inputs: Inputs) -> Shown:
    last = inputs.results.last(name)
    if last is None:
        return Shown(what="test", name=name, standing=Standing.MISSING)
    run, outcome = last
    is_of_this = run.code == version.code
    standing = _STANDING[outcome] if is_of_this else Standing.STALE
    return Shown(what="test", name=name, standing=standing, at=run.at, commit=run.commit)


def _drill(name: str, version: CodeVersion, inputs: Inputs) -> Shown:
    """The newest result of it, whichever report it is in; one that is of now goes before."""
    found = [
        (report, result)
        for report in inputs.drills
        for result in report.results
        if result.drill == name
    ]
    if not found:
        return Shown(what="drill", name=name, standing=Standing.MISSING)

    def is_of_now(report: DrillReport) -> bool:
        return report.code == version.code and report.configuration in inputs.configurations

    report, result = max(found, key=lambda each: (is_of_now(each[0]), each[0].at))
    standing = Standing.PASSED if result.verdict is Verdict.PASSED else Standing.FAILED
    return Shown(
        what="drill",
        name=name,
        standing=standing if is_of_now(report) else Standing.STALE,
        at=report.at,
        commit=report.commit,
        took_s=result.took_s,
        bound_s=result.bound_s,
    )


def _lacks_of_tests(tests: Sequence[Shown]) -> Iterator[str]:
    if not tests:
        yield "no test shows it"
        return
    yield from _named(tests, Standing.FAILED, "failed")
    yield from _counted(tests, Standing.STALE, "ran with other code")
    yield from _counted(tests, Standing.MISSING, "have no result")
    if not any(test.standing is Standing.PASSED for test in tests):
        yield "not one of its tests has passed with this code"


def _lacks_of_drills(drills: Sequence[Shown]) -> Iterator[str]:
    for drill in drills:
        match drill.standing:
            case Standing.MISSING:
                yield f"drill {drill.name} was not done"
            case Standing.STALE:
                yield f"drill {drill.name} was done with other code or another configuration"
            case Standing.FAILED:
                yield f"drill {drill.name} did not pass"
            case _:
                pass


def _named(tests: Iterable[Shown], standing: Standing, how: str) -> Iterator[str]:
    names = [test.name for test in tests if test.standing is standing]
    if names:
        more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
        yield f"{how}: {', '.join(names[:NAMED_MAX])}{more}"


def _counted(tests: Sequence[Shown], standing: Standing, how: str) -> Iterator[str]:
    count = sum(test.standing is standing for test in tests)
    if count:
        yield f"{count} of {len(tests)} tests {how}"


def _proof(report: ProofReport | None, version: CodeVersion) -> ProofEvidence:
    if report is None:
        return ProofEvidence(standing=Standing.MISSING, words="prove was not run")
    words = (
        f"{report.days} days of {report.asked} asked for, {report.lives} lives,"
        f" {report.orders} orders, {len(report.failed)} days broken; {report.at or 'at no time'}"
    )
    if report.code != version.code:
        return ProofEvidence(standing=Standing.STALE, words=f"of other code: {words}")
    standing = Standing.PASSED if report.passed else Standing.FAILED
    return ProofEvidence(standing=standing, words=words)


_STANDING = {
    Outcome.PASSED: Standing.PASSED,
    Outcome.SKIPPED: Standing.SKIPPED,
    Outcome.FAILED: Standing.FAILED,
}
