"""What the guardian makes of the exit bot's word: the check itself, case by case."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from hydra.trading.causes import FLATTEN as FLATTENED
from hydra.trading.causes import UNPROTECTED
from hydra.trading.coverage_lines import CoverageLine
from hydra.trading.coverage_watch import (
    LOOPS_SILENT_MAX,
    CoverageWatch,
    positions_are_protected,
    still_unprotected,
    unprotected_while_halted,
)
from tests.trading.situations import ENTRY, EXIT, FLATTEN, SECOND, changed

D = Decimal


def watch(**told: Any) -> CoverageWatch:
    made = CoverageWatch()
    made.told(**{"is_known": True, "pct": D(100), "uncovered": {}, **told})
    return made


def verdict(made: CoverageWatch, fine: Any = ENTRY) -> str | None:
    return positions_are_protected(structs.replace(fine, coverage=made.view))


def test_an_entry_passes_while_the_exit_bot_says_that_all_is_covered() -> None:
    assert verdict(watch()) is None


def test_nothing_heard_means_no_entry_and_every_exit() -> None:
    nothing = CoverageWatch()

    assert verdict(nothing) == (
        "the exit bot has not said that what is held is protected (exitbot.enabled has to be true)"
    )
    assert (verdict(nothing, EXIT), verdict(nothing, FLATTEN)) == (None, None)


@pytest.mark.parametrize("loops", range(LOOPS_SILENT_MAX + 3))
def test_a_word_counts_for_some_loops_and_a_new_one_begins_anew(loops: int) -> None:
    made = watch()
    for _ in range(loops):
        made.loop_ran()

    allowed = loops <= LOOPS_SILENT_MAX
    assert (verdict(made) is None, made.is_heard) == (allowed, allowed)
    made.told(is_known=True, pct=D(100), uncovered={})
    assert verdict(made) is None


def test_an_account_that_is_not_seen_protects_nobody() -> None:
    assert verdict(watch(is_known=False, pct=D(0))) == (
        "what the account holds is not known, so neither is whether it is protected"
    )


@pytest.mark.parametrize("seconds", [0, 10, 11])
def test_what_was_filled_just_now_has_the_time_that_is_configured(seconds: int) -> None:
    made = watch(pct=D("33.33"), uncovered={"one AAPL": seconds * SECOND, "two MSFT": 0})

    expected = None
    if seconds > 10:
        expected = (
            "33.33 % of what is held is protected; one AAPL, two MSFT has not been for 11 s, at"
            " most 10 s allowed"
        )
    assert verdict(made) == expected


def test_an_exit_bot_that_is_down_is_not_gone_by_any_more() -> None:
    made = watch()
    made.lost()

    assert (made.is_heard, verdict(made) is None) == (False, False)


@pytest.mark.parametrize("odd", [{"is_heard": 1}, {"is_known": 1}, {"silent": -1}])
def test_odd_values_are_on_the_side_of_no(odd: dict[str, Any]) -> None:
    assert positions_are_protected(changed(ENTRY, **odd)) is not None


def line(symbol: str, uncovered: int) -> CoverageLine:
    covered = D(9 - uncovered)
    return CoverageLine(
        symbol=symbol,
        bot="one",
        position=D(9),
        by_orders=covered,
        by_guards=D(0),
        uncovered=D(uncovered),
    )


@pytest.mark.parametrize(
    ("lines", "still"),
    [
        (None, {"unprotected:AAPL"}),
        ((), set()),
        ((line("AAPL", 0), line("SPY", 2)), {"unprotected:SPY"}),
    ],
    ids=["not known", "nothing is held", "covered again"],
)
def test_what_was_not_protected_is_over_only_once_the_exit_bot_knows_so_i04_i30(
    lines: tuple[CoverageLine, ...] | None, still: set[str]
) -> None:
    latched = (
        UNPROTECTED.cause(subject="AAPL", since=1, detail="no stop"),
        FLATTENED.cause(since=1, detail="enough"),
    )

    assert still_unprotected(latched, lines) == still


def test_what_lacks_only_the_end_of_a_halt_is_said_once_it_lasts_and_keeps_no_halt_i11() -> None:
    halted = structs.replace(line("AAPL", 9), held_back=D(9))
    in_part = structs.replace(line("SPY", 9), held_back=D(4))
    lasting = {"one AAPL": 11 * SECOND, "one SPY": 11 * SECOND}

    assert still_unprotected((), (halted, in_part)) == {"unprotected:SPY"}
    assert unprotected_while_halted((halted, in_part), lasting, 10 * SECOND) == {
        "AAPL": "one holds 9, unprotected while halted"
    }
    assert unprotected_while_halted((halted,), {"one AAPL": 10 * SECOND}, 10 * SECOND) == {}
