"""What the results come to: a drift stands until it is taken back, and silence grows old."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.ops.canary.results import KEPT, contract_findings, keep, kept
from hydra.ops.canary.standing import AGE_MAX, NAME, finding
from hydra.ops.stamp import stamp
from hydra.trading.findings import Finding
from hydra.venues.alpaca.canary.lines import Line, Report, Verdict

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
PASS, DRIFTED, UNKNOWN, NOT_NOW = Verdict


def report(days_ago: float = 0, /, *, remains: tuple[str, ...] = (), **verdicts: Verdict) -> Report:
    return Report(
        at=stamp(NOW - timedelta(days=days_ago)),
        version="1",
        contract="2026-11-23",
        venue="paper",
        account="PA1",
        lines=tuple(Line(check=name, verdict=each, line="") for name, each in verdicts.items()),
        remains=remains,
    )


def said(*newest_first: Report) -> Finding:
    found = finding(newest_first, NOW)
    assert found is not None and found.name == NAME
    return found


def test_of_a_canary_that_was_never_run_nothing_is_said() -> None:
    assert finding((), NOW) is None


@pytest.mark.parametrize(
    ("newest_first", "passed", "says"),
    [
        ([report(clock=PASS, fills=NOT_NOW)], True, "no drift found"),
        ([report(clock=DRIFTED)], False, "drifted: clock;"),
        # Who could not tell takes nothing back, and accuses nobody.
        ([report(clock=UNKNOWN), report(1, clock=DRIFTED)], False, "drifted: clock;"),
        ([report(clock=NOT_NOW), report(1, clock=DRIFTED)], False, "drifted: clock;"),
        ([report(clock=UNKNOWN), report(1, clock=PASS)], True, "no drift found"),
        ([report(clock=PASS), report(1, clock=DRIFTED)], True, "no drift found"),
        # A run that was cut short, or met nobody, has not asked for everything.
        ([report(clock=PASS), report(1, fills=DRIFTED)], False, "drifted: fills;"),
        # A check of another version may be asked no more.
        (
            [report(clock=PASS), structs.replace(report(1, gone=DRIFTED), version="0")],
            True,
            "no drift found",
        ),
        ([report(6, clock=PASS)], False, "not told for 5 days: clock;"),
        ([report(clock=UNKNOWN), report(6, clock=PASS)], False, "not told for 5 days: clock;"),
        ([report(clock=UNKNOWN), report(6, clock=UNKNOWN)], False, "not told for 5 days: clock;"),
        ([report(clock=UNKNOWN, fills=PASS)], True, "no drift found; not told then: clock"),
        ([report(-2, clock=PASS)], False, "not told"),
        ([report(clock=PASS, remains=("hyc-1: order 7, taken",))], False, "hyc-1: order 7, taken"),
    ],
)
def test_the_last_that_was_told_of_each_check_stands(
    newest_first: list[Report], passed: bool, says: str
) -> None:
    found = said(*newest_first)

    assert (found.passed, says in found.line) == (passed, True), found.line


@given(
    history=st.lists(st.tuples(st.floats(0, 30), st.sampled_from(Verdict)), min_size=1, max_size=10)
)
def test_it_is_fine_only_if_the_newest_word_on_it_is_new_and_no_drift(
    history: list[tuple[float, Verdict]],
) -> None:
    newest_first = sorted(history, key=lambda each: each[0])
    told = [each for each in newest_first if each[1] in (PASS, DRIFTED)]

    found = said(*(report(age, clock=verdict) for age, verdict in newest_first))

    if told:
        age, verdict = told[0]
        assert found.passed is (verdict is PASS and age * 86_400 < AGE_MAX.total_seconds() + 1)
    else:
        asked = [age for age, verdict in newest_first if verdict is UNKNOWN]
        assert found.passed is (max(asked, default=0.0) * 86_400 < AGE_MAX.total_seconds() + 1)


def test_what_is_kept_comes_back_the_newest_first_and_only_so_many(tmp_path: Path) -> None:
    folder = tmp_path / "canary"
    made = [report(days, clock=PASS, fills=UNKNOWN) for days in reversed(range(KEPT + 3))]
    for each in made:
        keep(folder, each)

    assert kept(folder) == tuple(reversed(made[3:]))
    assert len(list(folder.iterdir())) == KEPT


@pytest.mark.parametrize("content", ["yesterday", "2026-11-23T15:00:00", '"'])
def test_a_result_that_cannot_be_read_is_no_pass(content: str, tmp_path: Path) -> None:
    path = keep(tmp_path / "canary", report(clock=PASS))
    path.write_text(path.read_text().replace(stamp(NOW), content))

    (found,) = contract_findings(tmp_path / "canary", lambda: NOW)

    assert not found.passed and str(path) in found.line
    assert contract_findings(tmp_path / "none") == ()
