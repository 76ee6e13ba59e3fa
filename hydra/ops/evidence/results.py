"""The last result of each test, as the test suite leaves it, and which tests serve what.

Which tests there are is data of the package (`TESTS`), made by `make docs` from their names: a
program that is installed has no tests beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import TypeAlias

import msgspec

TESTS = Path(__file__).with_name("tests.json")

ServingTests: TypeAlias = dict[str, dict[str, tuple[str, ...]]]
"""By invariant (I01) or file of tests, the files with their tests."""


class Outcome(Enum):
    """How a test ended; one of many cases is as good as its worst."""

    PASSED = "passed"
    SKIPPED = "skipped"
    FAILED = "failed"


class SuiteRun(msgspec.Struct, frozen=True, kw_only=True):
    """One go of the suite, or of a part of it. `code` is that of `code_version`, "" if it changed
    meanwhile; `at` is the machine's time (RFC 3339, UTC).
    """

    code: str
    commit: str
    at: str


class SuiteResults(msgspec.Struct, frozen=True, kw_only=True):
    """By test (`tests/a.py::test_b`), the number of its last run in `runs` and how it ended."""

    runs: tuple[SuiteRun, ...] = ()
    tests: Mapping[str, tuple[int, Outcome]] = {}

    def last(self, test: str) -> tuple[SuiteRun, Outcome] | None:
        """None: it never ran, as far as is known."""
        found = self.tests.get(test)
        return None if found is None else (self.runs[found[0]], found[1])

    def with_run(self, run: SuiteRun, outcomes: Mapping[str, Outcome]) -> SuiteResults:
        """These, and what came of another go; runs of which no result is left go."""
        newest = len(self.runs)
        tests = dict(self.tests) | {test: (newest, how) for test, how in outcomes.items()}
        runs = (*self.runs, run)
        used = sorted({number for number, _ in tests.values()})
        place = {number: index for index, number in enumerate(used)}
        return SuiteResults(
            runs=tuple(runs[number] for number in used),
            tests={test: (place[number], how) for test, (number, how) in sorted(tests.items())},
        )


def results_from(content: bytes) -> SuiteResults:
    """Read back. Raises `msgspec.ValidationError`, `msgspec.DecodeError`."""
    results = msgspec.json.decode(content, type=SuiteResults)
    if any(not 0 <= number < len(results.runs) for number, _ in results.tests.values()):
        raise msgspec.ValidationError("found a test of a run that is not there")
    return results


def known_tests() -> ServingTests:
    """As `make docs` found them."""
    return msgspec.json.decode(TESTS.read_bytes(), type=ServingTests)


def names_in(serving: ServingTests, keys: Iterable[str]) -> tuple[str, ...]:
    """The tests (`tests/a.py::test_b`) that serve any of these, each once, in order."""
    return tuple(
        sorted(
            {
                f"{path}::{name}"
                for key in keys
                for path, names in serving.get(key, {}).items()
                for name in names
            }
        )
    )
