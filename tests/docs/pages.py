"""The pages of docs/ that are written from the code: what there is, said once."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

import msgspec

from hydra.ops.evidence.controls import CONTROLS
from hydra.ops.evidence.results import TESTS, ServingTests
from messages.event_kinds import EventKind
from messages.vocabulary import EVENTS
from tests.docs.faults.sections import FAULT_SECTIONS
from tests.docs.faults_page import faults_page
from tests.docs.hazards import HAZARDS, Hazard
from tests.docs.invariants import SECTIONS, Section
from tests.docs.sentences import sentence_of
from tests.sensitivity.plants.all import ALL
from tests.sensitivity.results import PAGE as PLANTED_BUGS
from tests.sensitivity.results import kept, sensitivity_page

ROOT = Path(__file__).resolve().parents[2]

_OF_A_LINE = """\
Each line of `logs/app.jsonl` is a JSON object: `ts` (the market's time, UTC), `seq` (one more than
the line before), `event`, its fields, `source` (who says it) and `crc` (of the line). Quantities
and prices are decimals in text. Any line may repeat the ledger's newest mark, `ledger_seq` and
`ledger_chain`. Fields that would make a line longer than 64 KiB are `oversize_bytes` instead.

A name with a dot (`mybot.crossed`) is a bot's own and not in this table. ● marks the events that
tell an order's story: they name it by its `client_order_id` or by its decision.
"""

_OF_A_NAME = """\
A test whose name ends in `_i51` serves I51. Tests show an invariant for what is built; the last
column says what it still waits for.
"""

_OF_A_HAZARD = """\
Each row has a test in which the venue, or the market, misbehaves so.
"""

_SERVES = re.compile(
    r"^ *(?:async )?def test_(?P<sentence>\w+?)(?P<ids>(?:_i\d\d)+)\(", re.MULTILINE
)

_TEST = re.compile(r"^(?:async )?def (?P<name>test_\w+?(?P<ids>(?:_i\d\d)+)?)\(", re.MULTILINE)


class ServingTest(msgspec.Struct, frozen=True, order=True):
    """A test whose name ends in the invariants that it serves."""

    path: str
    sentence: str


def events_page(kinds: Iterable[EventKind]) -> str:
    """Every kind of line in the journal, by who says it."""
    return "\n".join(_events_page(kinds))


def _events_page(kinds: Iterable[EventKind]) -> Iterator[str]:
    yield _heading("What the journal says", "messages/vocabulary.py", _OF_A_LINE)
    for speaker, said in groupby(kinds, key=lambda kind: kind.speaker):
        yield f"## {speaker.name}\n"
        yield f"`source`: `{speaker.source}`\n" if speaker.source else "Without a `source`.\n"
        yield "| event | | when | fields |\n| --- | --- | --- | --- |"
        for kind in said:
            fields = [f"`{name}`: {meaning}" for name, meaning in kind.fields.items()]
            fields += [f"`{name}`, if any: {text}" for name, text in kind.optional.items()]
            story = "●" if kind.order_at else ""
            yield f"| `{kind.name}` | {story} | {kind.meaning} | {'<br>'.join(fields)} |"
        yield ""


def invariants_page(sections: Sequence[Section], tests: Mapping[str, Sequence[ServingTest]]) -> str:
    """Which tests show what, and what is not built yet."""
    return "\n".join(_invariants_page(sections, tests))


def _invariants_page(
    sections: Sequence[Section], tests: Mapping[str, Sequence[ServingTest]]
) -> Iterator[str]:
    yield _heading(
        "What must always be true, and which tests show it",
        "the names of the tests and tests/docs/invariants.py",
        _OF_A_NAME,
    )
    for section in sections:
        yield f"## {section.title}\n"
        yield "| | what must be true | tests | not built yet |\n| --- | --- | --- | --- |"
        for invariant in section.invariants:
            count = len(tests.get(invariant.id, ()))
            shown = f"[{count}](#{invariant.id.lower()})" if count else "none"
            yield f"| {invariant.id} | {invariant.title} | {shown} | {invariant.not_built} |"
        yield ""
    yield "# The tests\n"
    for section in sections:
        for invariant in section.invariants:
            if invariant.id in tests:
                yield f"## {invariant.id}\n\n{invariant.title}\n"
                yield from (f"- {test.sentence} (`{test.path}`)" for test in tests[invariant.id])
                yield ""


def _heading(title: str, origin: str, text: str) -> str:
    return f"<!-- Written by `make docs` from {origin}; not by hand. -->\n\n# {title}\n\n{text}"


def hazards_page(hazards: Iterable[Hazard]) -> str:
    """What can go wrong at the broker, with the tests of what is done about it."""
    return "\n".join(_hazards_page(hazards))


def _hazards_page(hazards: Iterable[Hazard]) -> Iterator[str]:
    yield _heading("What can go wrong at the broker", "tests/docs/hazards.py", _OF_A_HAZARD)
    yield "| hazard | it shows as | Hydra | tests |"
    yield "| --- | --- | --- | --- |"
    for each in hazards:
        tests = "<br>".join(f"`{test.path}`: {sentence_of(test.name)}" for test in each.tests)
        yield f"| {each.name} | {each.shows} | {each.reaction} | {tests} |"
    yield ""


def serving_tests(folder: Path) -> dict[str, list[ServingTest]]:
    """The tests below a folder, by the ids in which their names end. Nothing is imported."""
    found: defaultdict[str, list[ServingTest]] = defaultdict(list)
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder.parent).as_posix()
        for serves in _SERVES.finditer(path.read_text(encoding="utf-8")):
            for invariant in serves["ids"].strip("_").upper().split("_"):
                found[invariant].append(ServingTest(name, sentence_of(serves["sentence"])))
    return {invariant: sorted(tests) for invariant, tests in sorted(found.items())}


def by_what_they_serve(folder: Path, files: Iterable[str]) -> ServingTests:
    """By invariant, and by file for these ones, all tests by their files. Nothing is imported."""
    found: defaultdict[str, defaultdict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted(folder.rglob("*.py")):
        name = path.relative_to(folder.parent).as_posix()
        for test in _TEST.finditer(path.read_text(encoding="utf-8")):
            keys = (test["ids"] or "").upper().split("_")[1:]
            for key in (*keys, name) if name in files else keys:
                found[key][name].append(test["name"])
    return {
        key: {name: tuple(sorted(tests)) for name, tests in by_file.items()}
        for key, by_file in sorted(found.items())
    }


def _tests_of_controls() -> str:
    """Data of the package: a program that is installed has no tests beside it."""
    files = {name for control in CONTROLS for name in control.tests}
    found = by_what_they_serve(ROOT / "tests", files)
    return msgspec.json.format(msgspec.json.encode(found), indent=1).decode() + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "docs/events.md": lambda: events_page(EVENTS),
    "docs/faults.md": lambda: faults_page(FAULT_SECTIONS),
    "docs/hazards.md": lambda: hazards_page(HAZARDS),
    "docs/invariants.md": lambda: invariants_page(SECTIONS, serving_tests(ROOT / "tests")),
    TESTS.relative_to(ROOT).as_posix(): _tests_of_controls,
    PLANTED_BUGS: lambda: sensitivity_page(ALL, kept()),
}
"""What makes each written page, by its path in the project."""
