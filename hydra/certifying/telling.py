"""A trial in words: for a terminal, for a file, and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from hydra.certifying.certificate import FAILED, PASSED, Certificate, RuleResult, Subject
from hydra.certifying.playing import Played, Trial, repeats
from hydra.certifying.rules import RULES, Found, Seen
from hydra.certifying.scenarios import Scenario
from hydra.ops.debug.describing import utc_text
from hydra.venues.one_line import one_line

WHAT_MAX = 400
"""Characters of what a bot raised, say."""


def results_of(found: Sequence[Found]) -> tuple[RuleResult, ...]:
    """Every rule, with the first scenario that breaks it."""
    first: dict[str, Found] = {}
    for each in found:
        first.setdefault(each.rule, each)
    return tuple(
        RuleResult(rule=rule, passed=True)
        if rule not in first
        else RuleResult(
            rule=rule,
            passed=False,
            scenario=first[rule].scenario,
            what=one_line(first[rule].what)[:WHAT_MAX],
        )
        for rule in RULES
    )


def verdict_on(trial: Trial) -> str:
    """Passed: all was played, and nothing is broken."""
    return PASSED if trial.is_whole and not trial.found else FAILED


def lines_of(trial: Trial, subject: Subject, again: str) -> Iterator[str]:
    """What was played, and each rule: kept, or broken where; `again` is the command that shows a
    scenario, without its number.
    """
    yield from _heading(subject)
    wishes = sum(len(seen.wishes) for seen in trial.scenarios)
    executions = sum(seen.executions for seen in trial.scenarios)
    count = len(trial.scenarios)
    yield (
        f"{count} scenarios, {repeats(count)} of them twice: {wishes:,} wishes, {executions:,}"
        f" executions; Hydra {subject.hydra}"
    )
    width = max(map(len, RULES))
    kinds = {seen.number: seen.kind for seen in trial.scenarios}
    times = Counter(each.rule for each in trial.found)
    for result in results_of(trial.found):
        if result.passed:
            yield f"  passed  {result.rule:{width}}  {RULES[result.rule]}"
            continue
        assert result.scenario is not None, "it was broken in one"
        more = times[result.rule] - 1
        yield f"  FAILED  {result.rule:{width}}  {RULES[result.rule]}"
        others = f" (and {more} more)" if more else ""
        where = f"scenario {result.scenario}, {kinds[result.scenario]}"
        yield f"          {where}: {result.what}{others}"
        yield f"          again with  {again} --scenario {result.scenario}"
    if not trial.is_whole:
        yield "stopped before all was played"


def trace_of(
    scenario: Scenario, played: Played, found: Sequence[Found], subject: Subject
) -> Iterator[str]:
    """A scenario from its beginning: what happened, what the bot wanted, and what is broken."""
    plan, seen = scenario.plan, played.seen
    yield from _heading(subject)
    yield (
        f"scenario {scenario.number}: {scenario.kind}; prices {scenario.shape} of market"
        f" {plan.market}, {plan.minutes} minutes, entries of {scenario.notional_usd} USD"
    )
    if scenario.settings:
        yield f"with {', '.join(scenario.settings)}"
    for rule in plan.venue.rules:
        yield f"the venue: {msgspec.json.encode(rule.fault).decode()} at a rate of {rule.rate:g}"
    for at, text in played.lines:
        yield f"{utc_text(at)}  {one_line(text)}"
    yield f"{len(seen.wishes)} wishes, {seen.executions} executions; decisions {seen.digest}"
    for each in found:
        when = f" ({utc_text(each.at)})" if each.at else ""
        yield f"FAILED {each.rule}: {one_line(each.what)[:WHAT_MAX]}{when}"
    if not found:
        yield "no rule was broken that one scenario can break"


def as_json(trial: Trial, certificate: Certificate) -> dict[str, Any]:
    """The same for programs."""
    return {
        **msgspec.to_builtins(certificate),
        "is_whole": trial.is_whole,
        "wishes": sum(len(seen.wishes) for seen in trial.scenarios),
        "executions": sum(seen.executions for seen in trial.scenarios),
        "found": [msgspec.to_builtins(each) for each in trial.found],
        "kinds": _by_kind(trial.scenarios),
    }


def _by_kind(scenarios: Sequence[Seen]) -> dict[str, dict[str, int]]:
    told: dict[str, dict[str, int]] = {}
    for seen in scenarios:
        row = told.setdefault(seen.kind, {"played": 0, "wishes": 0, "executions": 0})
        row["played"] += 1
        row["wishes"] += len(seen.wishes)
        row["executions"] += seen.executions
    return told


def _heading(subject: Subject) -> Iterator[str]:
    parameters = ", ".join(f"{name} {value}" for name, value in subject.parameters.items())
    yield (
        f"{subject.kind} of {subject.distribution} {subject.version} ({subject.place}), code"
        f" {subject.bot_code}; {parameters or 'no parameters'}"
    )
