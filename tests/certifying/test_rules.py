"""What was seen of a bot is held against each rule."""

from typing import Any

import pytest
from msgspec.structs import replace

from hydra.certifying.rules import (
    ALLOWED,
    ASKS,
    DOUBLES,
    FLAT,
    GUARDS,
    HOLDS,
    SAME,
    SAME_WISHES_MAX,
    STORMS,
    TRADES,
    Found,
    Seen,
    Wish,
    broken,
)
from hydra.trading.durations import MINUTE

WISH = Wish(
    at=7 * MINUTE,
    decided_at=7 * MINUTE,
    symbol="AAPL",
    role="entry",
    quantity="5",
    text="buy 5 market, AAPL entry 1",
    is_known=True,
    holds=False,
    is_repeated=False,
    life=1,
)
CALM = Seen(number=3, kind="calm", calm=True, restarts=False, wishes=(WISH,), digest="aa")
AGAIN = replace(CALM, number=4, kind="the bot crashes", calm=False, restarts=True)
LATER = replace(WISH, life=2, at=9 * MINUTE)


def rules(*scenarios: Seen, again: dict[int, str] | None = None) -> list[str]:
    return [each.rule for each in broken(scenarios, again or {})]


def wishes(*, like: Seen = CALM, count: int = 1, **changes: Any) -> Seen:
    return replace(like, wishes=(replace(WISH, **changes),) * count)


@pytest.mark.parametrize(
    ("seen", "rule"),
    [
        (CALM, []),
        (wishes(is_known=False), [ASKS]),
        (wishes(count=SAME_WISHES_MAX), []),
        (wishes(count=SAME_WISHES_MAX + 1), [STORMS]),
        (replace(CALM, taken_over=("AAPL was taken over",)), [GUARDS]),
        (replace(CALM, taken_over=("AAPL was taken over",), calm=False), []),
        (replace(CALM, breaches=(("I43", "5 AAPL are held"),)), [FLAT]),
        (replace(CALM, breaches=(("I31", "too much"),)), [HOLDS]),
        (replace(CALM, breaches=(("I31", "much"),), failures=((ALLOWED, 1, "x"),)), [ALLOWED]),
    ],
)
def test_one_scenario_breaks_the_rule_that_it_is_about(seen: Seen, rule: list[str]) -> None:
    assert rules(seen) == rule


def test_wishes_of_many_bars_or_of_many_symbols_are_no_storm() -> None:
    bars = [replace(WISH, decided_at=number * MINUTE) for number in range(30)]
    symbols = [replace(WISH, symbol=str(number)) for number in range(30)]

    assert rules(replace(CALM, wishes=(*bars, *symbols))) == []


def test_what_another_process_decides_has_to_be_the_same() -> None:
    assert rules(CALM, again={3: "aa", 99: "bb"}) == []
    assert rules(CALM, again={3: "bb"}) == [SAME]


@pytest.mark.parametrize(
    ("wish", "is_doubled"),
    [
        (replace(LATER, holds=True), True),
        (replace(LATER, is_repeated=True), True),
        (replace(LATER, role="exit", holds=True, is_repeated=True), False),
        (LATER, False),
        (replace(WISH, holds=True), False),
    ],
)
def test_after_a_start_an_entry_beside_what_is_held_is_doubled(
    wish: Wish, is_doubled: bool
) -> None:
    seen = replace(AGAIN, wishes=(WISH, wish))

    assert rules(CALM, seen) == [DOUBLES] * is_doubled
    assert rules(CALM, replace(seen, restarts=False)) == []


def test_a_bot_that_adds_to_what_it_holds_anyway_doubles_only_what_is_on_record() -> None:
    adds = replace(CALM, wishes=(WISH, replace(WISH, holds=True)))
    beside = replace(AGAIN, wishes=(replace(LATER, holds=True),))
    on_record = replace(AGAIN, wishes=(replace(LATER, is_repeated=True),))

    assert rules(adds, beside) == rules(replace(beside, stacks=True)) == []
    assert rules(adds, on_record) == [DOUBLES]


def test_a_bot_that_never_wants_to_enter_has_shown_nothing() -> None:
    exits = wishes(role="exit")

    assert broken([exits, replace(CALM, wishes=())], {}) == (
        Found(rule=TRADES, scenario=0, what="in 2 scenarios it wanted no entry"),
    )
    assert rules(exits, CALM) == []
