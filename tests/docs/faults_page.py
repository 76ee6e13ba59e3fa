"""docs/faults.md: what strikes Hydra, and what shows that it is survived."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.docs.faults.catalogue import Fault, FaultSection
from tests.docs.sentences import sentence_of

HEADING = """\
<!-- Written by `make docs` from tests/docs/faults/; not by hand. -->

# What strikes Hydra, and what shows that it is survived

Each fault has the tests that do it and look at what comes of it. What stands under "in the proof"
are kinds of trouble of `hydra-trader prove` ([proof.md](proof.md)), which mixes them with all else.
The last column says what is not shown here, and why.
"""


def faults_page(sections: Iterable[FaultSection]) -> str:
    """Every fault by section: a table, and below it the tests of each."""
    return "\n".join(_faults_page(sections))


def _faults_page(sections: Iterable[FaultSection]) -> Iterator[str]:
    yield HEADING
    for section in sections:
        yield f"## {section.title}\n"
        yield "| | what happens | tests | in the proof | not shown here |"
        yield "| --- | --- | --- | --- | --- |"
        for fault in section.faults:
            count = f"[{len(fault.tests)}](#{fault.id.lower()})" if fault.tests else "none"
            proof = ", ".join(f"`{kind}`" for kind in fault.proof)
            yield f"| {fault.id} | {fault.title} | {count} | {proof} | {fault.not_tested} |"
        yield ""
        for fault in section.faults:
            if fault.tests:
                yield f"### {fault.id}\n\n{fault.title}\n"
                yield from (f"- {_said(test)}" for test in fault.tests)
                yield ""


def _said(test: str) -> str:
    path, name = test.split("::")
    return f"{sentence_of(name)} (`{path}`)"


def missing_tests(faults: Iterable[Fault], root: Path) -> list[str]:
    """Those that no file below `root` has. Nothing is imported."""
    found: dict[str, frozenset[str]] = {}
    missing: list[str] = []
    for test in (test for fault in faults for test in fault.tests):
        path, _, name = test.partition("::")
        if path not in found:
            found[path] = _tests_in(root / path)
        if name not in found[path]:
            missing.append(test)
    return missing


def _tests_in(file: Path) -> frozenset[str]:
    if not file.exists():
        return frozenset()
    return frozenset(_TEST.findall(file.read_text(encoding="utf-8")))


_TEST = re.compile(r"^ *(?:async )?def (test_\w+)\(", re.MULTILINE)
