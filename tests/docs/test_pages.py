"""The written pages are those of this code, and no invariant is without a word."""

from pathlib import Path

import pytest

from tests.docs.hazards import HAZARDS
from tests.docs.invariants import SECTIONS
from tests.docs.pages import PAGES, ROOT, ServingTest, serving_tests

INVARIANTS = [invariant for section in SECTIONS for invariant in section.invariants]


@pytest.fixture(scope="module")
def tests() -> dict[str, list[ServingTest]]:
    return serving_tests(ROOT / "tests")


@pytest.mark.parametrize("path", PAGES)
def test_the_page_is_up_to_date(path: str) -> None:
    page = ROOT / path

    assert page.exists() and page.read_text(encoding="utf-8") == PAGES[path](), (
        f"{path} is not what the code says by now; run: make docs"
    )


def test_every_hazard_names_tests_that_there_are() -> None:
    proofs = [proof for hazard in HAZARDS for proof in hazard.tests]

    assert [proof for proof in proofs if not proof.is_in(ROOT)] == []
    assert all(hazard.tests for hazard in HAZARDS)


def test_every_invariant_has_its_title_once() -> None:
    assert [invariant.id for invariant in INVARIANTS] == [f"I{n:02}" for n in range(1, 91)]
    assert [i.id for i in INVARIANTS if not 0 < len(i.title.split()) <= 12] == []


def test_every_test_serves_an_invariant_that_there_is(tests: dict[str, list[ServingTest]]) -> None:
    assert tests.keys() - {invariant.id for invariant in INVARIANTS} == set()


def test_an_invariant_without_a_test_says_what_it_waits_for(
    tests: dict[str, list[ServingTest]],
) -> None:
    silent = [each.id for each in INVARIANTS if each.id not in tests and not each.not_built]

    assert silent == []


def test_a_test_serves_every_invariant_in_which_its_name_ends(tmp_path: Path) -> None:
    file = tmp_path / "tests" / "store" / "test_ledger.py"
    file.parent.mkdir(parents=True)
    file.write_text(
        "def test_the_ledger_s_end_is_seen_i54_i58(): ...\n"
        "class TestIt:\n"
        "    def test_a_lost_line_is_seen_i54(self): ...\n"
        "def test_nothing_of_note(): ...\n"
        "def helper_i54(): ...\n"
    )

    by_class = ServingTest("tests/store/test_ledger.py", "a lost line is seen")
    alone = ServingTest("tests/store/test_ledger.py", "the ledger's end is seen")
    assert serving_tests(tmp_path / "tests") == {"I54": [by_class, alone], "I58": [alone]}
