"""What is shown of a check is what it looked at: nothing that it says comes as a surprise."""

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.check_numbers import Number
from hydra.trading.explaining import (
    LOOKS,
    BudgetEffect,
    Looked,
    Verdict,
    budget_effects,
    explained,
)
from hydra.trading.orders import OrderType
from hydra.trading.risk_checks import CHECKS, NOT_ASKED, all_results
from hydra.trading.situation import Situation
from hydra.trading.trading_state import TradingState
from tests.trading.situations import (
    ENTRY,
    EXIT,
    FLATTEN,
    LIMIT_ENTRY,
    NOW,
    SECOND,
    SHORT_ENTRY,
    SHORT_EXIT,
    STOP_ENTRY,
    STOP_EXIT,
    changed,
)
from tests.trading.test_risk_checks import WRONG_IN_TURN

D = Decimal
FINE = [ENTRY, LIMIT_ENTRY, STOP_ENTRY, SHORT_ENTRY, EXIT, SHORT_EXIT, STOP_EXIT, FLATTEN]
ASKED_OF_AN_EXIT = [
    "trading_is_open",
    "numbers_are_sane",
    "session_is_open",
    "prices_fit_order_type",
    "exit_reduces_position",
    "no_order_opposes",
    "order_is_not_repeated",
    "exit_rate_is_within_limit",
    "trading_is_open",
]
A_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")

ODD: dict[str, Any] = {
    "quantity": D("10.5"),
    "limit_price": D("91.003"),
    "stop_price": D("133.007"),
    "reference_price": D("98.77"),
    "protective_stop": D("140.25"),
    "price": D("104.31"),
    "bid": D("103.17"),
    "ask": D("105.93"),
    "price_at": NOW - 77 * SECOND,
    "decided_at": NOW - 3_601 * SECOND,
    "bot_position": D("-3.25"),
    "account_position": D("4.75"),
    "bot_reducing_live": D("7.5"),
    "account_reducing_live": D("8.5"),
    "symbol_exposure_after": D("23456.78"),
    "bot_exposure_after": D("34567.89"),
    "gross_exposure_after": D("456789.12"),
    "heat_after": D("9876.54"),
    "loss_at_stop": D("1234.56"),
    "bot_left": D("12.34"),
    "bucket_left": D("-56.78"),
    "day_left": D("90.12"),
    "entries_last_minute": 41,
    "entries_last_minute_symbol": 42,
    "exits_last_minute": 143,
    "notional_in_window": D("44444.44"),
    "entries_today": 545,
    "notional_today": D("66666.66"),
    "last_entry_at": NOW - SECOND // 4,
    "last_similar_at": NOW + 2 * SECOND,
    "rejections_in_a_row": 7,
    "round_trips_today": 78,
    "equity": D("77777.77"),
    "day_start": D("99999.99"),
    "peak": D("111111.11"),
    "order_type": OrderType.STOP,
    "symbols": frozenset({("mom_AAPL", "MSFT")}),
    "session_open": False,
    "window_open": False,
    "state": TradingState.CLOSE_ONLY,
    "opposing": ("hy-a", "hy-b"),
    "unknown": ("hy-c",),
    "order_notional_usd_max": D("987.65"),
    "order_quantity_max": D("1.25"),
}
"""A value of each field that some check refuses, or that at least is told apart from all others."""


def numbers_in(text: str) -> set[Decimal]:
    """By their size: `3 s from the future` is a decision that is -3 s old."""
    return {Decimal(found).copy_abs() for found in A_NUMBER.findall(text)}


def numbers_shown(looked: Looked) -> set[Decimal]:
    values = [number.value for number in looked.numbers]
    exact = {Decimal(each) for each in values if isinstance(each, Decimal | int)}
    words = " ".join(str(each) for each in values if isinstance(each, str))
    return {each.copy_abs() for each in exact} | numbers_in(words)


def test_every_check_has_its_numbers() -> None:
    assert LOOKS.keys() == set(CHECKS)


@pytest.mark.parametrize("fine", FINE)
def test_the_checks_are_shown_in_the_order_of_asking_and_none_refuses_what_is_fine(
    fine: Situation,
) -> None:
    shown = explained(fine)

    assert [looked.check for looked in shown] == [check.__name__ for check in CHECKS]
    assert {looked.reason for looked in shown} == {""}
    assert Verdict.REFUSED not in {looked.verdict for looked in shown}


@pytest.mark.parametrize("leaving", [EXIT, SHORT_EXIT, FLATTEN])
def test_what_a_check_has_nothing_to_say_to_is_not_shown_as_passed(leaving: Situation) -> None:
    asked = [each.check for each in explained(leaving) if each.verdict is Verdict.PASSED]

    is_the_operators = leaving is FLATTEN  # and may be said again, however soon
    assert asked == [
        check
        for check in ASKED_OF_AN_EXIT
        if not (is_the_operators and check == "order_is_not_repeated")
    ]


def test_an_entry_is_asked_everything_but_what_is_about_exits_and_prices_of_its_own() -> None:
    def not_asked(situation: Situation) -> list[str]:
        shown = explained(situation)
        return [each.check for each in shown if each.verdict is Verdict.NOT_ASKED]

    about_exits = ["exit_reduces_position", "exit_rate_is_within_limit"]
    at_the_market = [about_exits[0], "prices_are_on_step", about_exits[1]]
    assert not_asked(ENTRY) == at_the_market
    assert not_asked(LIMIT_ENTRY) == about_exits
    no_stop = [about_exits[0], "protective_stop_is_behind_price", *at_the_market[1:]]
    assert not_asked(changed(ENTRY, protective_stop=None)) == no_stop


@pytest.mark.parametrize(("check", "changes"), WRONG_IN_TURN)
def test_each_check_that_refuses_is_shown_so_with_its_reason(
    check: str, changes: dict[str, Any]
) -> None:
    wrong = changed(ENTRY, **changes)

    shown = {each.check: each for each in explained(wrong)}

    reason = {result.check: result.reason for result in all_results(wrong)}[check]
    assert (shown[check].verdict, shown[check].reason) == (Verdict.REFUSED, reason)


changes = st.sets(st.sampled_from(sorted(ODD)), min_size=2).map(
    lambda names: {name: ODD[name] for name in names}
)


@pytest.mark.parametrize("fine", FINE)
def test_every_number_in_a_reason_is_shown_with_the_check_i90(fine: Situation) -> None:
    for name, value in ODD.items():
        require_its_numbers(changed(fine, **{name: value}))


@given(st.sampled_from(FINE), changes)
def test_every_number_in_a_reason_is_shown_whatever_else_is_odd_i90(
    fine: Situation, changes: dict[str, Any]
) -> None:
    require_its_numbers(changed(fine, **changes))


def require_its_numbers(odd: Situation) -> None:
    for looked in explained(odd):
        if looked.verdict is Verdict.REFUSED:
            assert numbers_in(looked.reason) <= numbers_shown(looked), looked


@given(st.sampled_from(FINE), changes)
def test_a_verdict_is_the_checks_own(fine: Situation, changes: dict[str, Any]) -> None:
    odd = changed(fine, **changes)

    for looked, result in zip(explained(odd), all_results(odd), strict=True):
        assert (looked.check, looked.reason) == (result.check, result.reason)
        assert (looked.verdict is Verdict.REFUSED) == bool(result.reason)


@given(st.sampled_from(FINE), changes, st.sampled_from(sorted(ODD)))
def test_a_check_that_is_not_asked_does_not_care_for_any_number(
    fine: Situation, changes: dict[str, Any], other: str
) -> None:
    """Whatever is changed besides, it neither refuses nor comes to be asked, unless the order
    itself is another one.
    """
    of_the_order = {"order_type", "limit_price", "stop_price", "protective_stop"}
    of_the_order |= {"reference_price", "bot_reducing_live"}
    odd = changed(fine, **changes)
    odder = odd if other in of_the_order else changed(odd, **{other: ODD[other]})

    for before, after in zip(explained(odd), explained(odder), strict=True):
        if before.verdict is Verdict.NOT_ASKED:
            assert after == before


def test_numbers_that_are_none_are_not_shown_and_asked_about_no_more_i34() -> None:
    first, sanity, *others, last = explained(changed(ENTRY, peak=D("NaN")))

    assert first == last
    assert (first.verdict, first.numbers[0]) == (Verdict.PASSED, Number("trading state", "ACTIVE"))
    assert sanity.verdict is Verdict.REFUSED
    assert {(each.verdict, each.numbers, each.reason) for each in others} == {
        (Verdict.NOT_ASKED, (), NOT_ASKED)
    }
    assert budget_effects(changed(ENTRY, peak=D("NaN"))) == ()


def test_budgets_are_shown_before_an_order_and_after_it_i32() -> None:
    effects = budget_effects(changed(ENTRY, bucket_left=None))

    assert effects == (
        BudgetEffect(whose="bot", left_before=D(100), at_stake=D("9.45"), left_after=D("90.55")),
        BudgetEffect(whose="bucket", left_before=None, at_stake=D("9.45"), left_after=None),
        BudgetEffect(whose="day", left_before=D(1000), at_stake=D("9.45"), left_after=D("990.55")),
    )


def test_an_age_is_shown_in_whole_seconds_without_zeros_behind() -> None:
    (looked,) = [each for each in explained(ENTRY) if each.check == "price_is_fresh"]

    assert [str(number.value) for number in looked.numbers] == ["1", "15"]
    (looked,) = [each for each in explained(ENTRY) if each.check == "order_is_not_repeated"]
    assert [str(number.value) for number in looked.numbers] == ["never", "5000"]
