"""The last result of each test, kept in a file for `hydra-trader evidence`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from hydra.ops.code_version import CodeVersion, code_version
from hydra.ops.evidence.results import Outcome, SuiteResults, SuiteRun, results_from
from hydra.ops.stamp import stamp

WORST_FIRST = (Outcome.FAILED, Outcome.PASSED, Outcome.SKIPPED)
"""Of the cases of one test: a case that is left out takes nothing from one that passed."""


class ResultsKept:
    """A plugin of pytest: hears of every test, and adds what came of them to the file."""

    def __init__(self, path: Path, code: CodeVersion) -> None:
        """`code` is what is tested."""
        self._path = path
        self._outcomes: dict[str, Outcome] = {}
        self._code = code

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        outcome = Outcome(report.outcome)
        if report.when == "call" or outcome is not Outcome.PASSED:
            self.heard(report.nodeid, outcome)

    def pytest_sessionfinish(self) -> None:
        self.write(code_version(), datetime.now(UTC))

    def heard(self, nodeid: str, outcome: Outcome) -> None:
        """A case ended so."""
        test = nodeid.partition("[")[0]
        known = self._outcomes.get(test, outcome)
        self._outcomes[test] = min(known, outcome, key=WORST_FIRST.index)

    def write(self, code: CodeVersion, at: datetime) -> None:
        """Add it all. Of code that was changed meanwhile nobody knows what was tested."""
        if not self._outcomes:
            return
        is_one = code.code == self._code.code
        run = SuiteRun(
            code=code.code if is_one else "",
            commit=code.commit if is_one else "",
            at=stamp(at),
        )
        results = self._before().with_run(run, self._outcomes)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(".new")
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1))
        beside.replace(self._path)

    def _before(self) -> SuiteResults:
        try:
            return results_from(self._path.read_bytes())
        except (FileNotFoundError, msgspec.MsgspecError):
            return SuiteResults()
