"""The pack in words and as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from hydra.ops.evidence.assembling import ControlEvidence, Evidence, Shown, Standing

NOT_PASSED_MAX = 20
"""So many tests of a control that did not pass are named; all of them are in evidence.json."""


def as_json(evidence: Evidence) -> bytes:
    """All of it, for programs."""
    content = msgspec.to_builtins(evidence)
    for entry, control in zip(content["controls"], evidence.controls, strict=True):
        entry["is_proven"] = control.is_proven
    content["is_complete"] = evidence.is_complete
    return msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n"


def line_of(evidence: Evidence) -> str:
    """The one line that says whether it is complete, and if not, what to look at first."""
    count = len(evidence.controls)
    open_ones = [control for control in evidence.controls if not control.is_proven]
    others = []
    if evidence.proof.standing is not Standing.PASSED:
        others.append(f"the proof: {evidence.proof.words}")
    if evidence.unlisted:
        others.append(f"in the code, and in no control: {', '.join(evidence.unlisted)}")
    if not open_ones and not others:
        return f"{count} controls, each proven by results of this code {evidence.version.code}"
    said = [f"{count - len(open_ones)} of {count} controls are proven"]
    if open_ones:
        first = open_ones[0]
        more = f"; and {len(open_ones) - 1} more" if len(open_ones) > 1 else ""
        said.append(f"{first.name}: {'; '.join(first.lacks)}{more}")
    return "; ".join((*said, *others))


def page_of(evidence: Evidence) -> str:
    """For people: Markdown."""
    return "\n".join(_page(evidence)) + "\n"


def _page(evidence: Evidence) -> Iterator[str]:
    version = evidence.version
    yield "# Controls between bots and market: evidence"
    yield ""
    yield f"{line_of(evidence)}."
    yield ""
    yield f"- made at {evidence.at}"
    yield f"- Hydra {version.version}, code {version.code}, commit {version.commit or 'unknown'}"
    yield f"- configuration {evidence.configuration}, venue {evidence.venue}"
    yield f"- proof: {evidence.proof.standing.value}; {evidence.proof.words}"
    for check in evidence.brought:
        yield f"- check of another distribution, on top of these: {check}"
    yield ""
    yield "| control | | drills | tests |"
    yield "| --- | --- | --- | --- |"
    for control in evidence.controls:
        word = "proven" if control.is_proven else "**NOT PROVEN**"
        drills = ", ".join(map(_drill, _of(control, "drill"))) or "–"
        yield f"| {control.name} | {word} | {drills} | {_counts(control)} |"
    for control in evidence.controls:
        yield ""
        yield from _section(control)


def _section(control: ControlEvidence) -> Iterator[str]:
    yield f"## {control.name}"
    yield ""
    yield control.rule
    yield ""
    for lack in control.lacks:
        yield f"- **not proven**: {lack}"
    for what, names in (
        ("asked about each order", control.checks),
        ("halts or closes by", control.causes),
        ("invariants", control.invariants),
    ):
        if names:
            yield f"- {what}: {', '.join(f'`{name}`' for name in names)}"
    for setting in control.settings:
        yield f"- `{setting.key}`: {setting.value} {setting.unit}".rstrip()
    yield from (f"- drill {_drill(drill)}" for drill in _of(control, "drill"))
    yield f"- tests: {_counts(control)}"
    others = [test for test in _of(control, "test") if test.standing is not Standing.PASSED]
    yield from (f"  - {test.standing.value}: `{test.name}`" for test in others[:NOT_PASSED_MAX])
    if len(others) > NOT_PASSED_MAX:
        yield f"  - and {len(others) - NOT_PASSED_MAX} more, in evidence.json"


def _of(control: ControlEvidence, what: str) -> list[Shown]:
    return [each for each in control.shown if each.what == what]


def _drill(drill: Shown) -> str:
    if drill.standing is Standing.MISSING:
        return f"{drill.name}: missing"
    took = "never" if drill.took_s is None else f"{drill.took_s:.2f} s"
    return f"{drill.name}: {drill.standing.value}, {took} of {drill.bound_s:g} s, at {drill.at}"


def _counts(control: ControlEvidence) -> str:
    counts = Counter(test.standing for test in _of(control, "test"))
    newest = max((test.at for test in _of(control, "test")), default="")
    told = ", ".join(f"{counts[each]} {each.value}" for each in Standing if counts[each])
    return f"{told or 'none'}{f', newest {newest}' if newest else ''}"
