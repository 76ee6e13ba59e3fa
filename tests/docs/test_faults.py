"""The catalogue of faults is whole, and names nothing that there is not."""

from pathlib import Path
from typing import get_args

import pytest

from hydra.proving.plan import Happening
from hydra.venues.simulated import faults as venue_faults
from tests.docs.faults.catalogue import Fault
from tests.docs.faults.sections import FAULT_SECTIONS
from tests.docs.faults_page import missing_tests
from tests.docs.pages import ROOT

FAULTS = [fault for section in FAULT_SECTIONS for fault in section.faults]
STARTS = {
    "The process dies": 1,
    "The ledger and the disk": 29,
    "The journal": 53,
    "Requests to the broker": 61,
    "Trade updates": 89,
    "Market data": 100,
    "Time and calendar": 112,
    "Configuration": 120,
    "The kill switch and the operator": 131,
    "Actors and load": 138,
    "Several processes and deployment": 154,
    "What others can reach": 161,
}
"""The number of each section's first fault."""
ENDS = dict(zip(STARTS, [*list(STARTS.values())[1:], 173], strict=True))
PROOF_KINDS = {kind.__name__ for kind in (*get_args(Happening), *get_args(venue_faults.Fault))}


def test_every_fault_has_its_row_once_and_in_order() -> None:
    assert [section.title for section in FAULT_SECTIONS] == list(STARTS)
    for section in FAULT_SECTIONS:
        wanted = [f"F{n:02}" for n in range(STARTS[section.title], ENDS[section.title])]
        assert [fault.id for fault in section.faults] == wanted


def test_a_row_is_a_sentence_and_repeats_nothing() -> None:
    assert [f.id for f in FAULTS if not 0 < len(f.title.split()) <= 30 or "|" in f.title] == []
    assert [f.id for f in FAULTS if not f.title.endswith(".")] == []
    assert [f.id for f in FAULTS if f.not_tested and not f.not_tested.endswith(".")] == []
    assert [f.id for f in FAULTS if "|" in f.not_tested] == []
    assert [f.id for f in FAULTS if len({*f.tests}) < len(f.tests)] == []
    assert [f.id for f in FAULTS if len({*f.proof}) < len(f.proof)] == []


def test_every_fault_names_tests_that_there_are() -> None:
    assert missing_tests(FAULTS, ROOT) == []


def test_every_fault_names_what_the_proof_does() -> None:
    assert {kind for fault in FAULTS for kind in fault.proof} - PROOF_KINDS == set()


def test_a_fault_that_nothing_shows_says_why() -> None:
    assert [f.id for f in FAULTS if not (f.tests or f.proof or f.not_tested)] == []


@pytest.mark.parametrize(
    ("test", "is_missing"),
    [
        ("tests/store/test_ledger.py::test_a_lost_line_is_seen_i54", False),
        ("tests/store/test_ledger.py::test_a_lost_line_is_seen", True),
        ("tests/store/test_ledger.py::helper", True),
        ("tests/store/test_journal.py::test_a_lost_line_is_seen_i54", True),
        ("tests/store/test_ledger.py", True),
    ],
)
def test_a_test_that_there_is_not_is_missing(tmp_path: Path, test: str, is_missing: bool) -> None:
    file = tmp_path / "tests" / "store" / "test_ledger.py"
    file.parent.mkdir(parents=True)
    file.write_text("def test_a_lost_line_is_seen_i54(): ...\ndef helper(): ...\n")

    found = missing_tests([Fault("F01", "A line is lost.", tests=(test,))], tmp_path)

    assert found == ([test] if is_missing else [])
