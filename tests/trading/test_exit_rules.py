import math
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.bars import Bar
from hydra.trading.exit_rules import (
    RULES,
    BadExitRules,
    ExitReason,
    ExitRules,
    Level,
    exit_reason,
)

D = Decimal
NS = 1_000_000_000
MINUTE = 60 * NS

LIMITS = ExitRules(D("0.50"), D("1.00"), 25 * MINUTE)
TRAILING = msgspec.structs.replace(LIMITS, trailing_stop_pct=D("0.40"))
OPENED_AT = 100 * MINUTE
QUIET = Bar(
    symbol="AAPL",
    start_at=OPENED_AT,
    end_at=OPENED_AT + MINUTE,
    open=200.0,
    high=200.5,
    low=199.5,
    close=200.0,
    volume=1_000.0,
)

HOLD: dict[str, Any] = {
    "entry_price": D(200),
    "opened_at": OPENED_AT,
    "bar": QUIET,
    "at": OPENED_AT + MINUTE,
    "manage_until_passed": False,
}
"""A bought position with no reason to leave: stop at 199, take profit at 202, 25 minutes."""


def quiet(**changes: float) -> Bar:
    return msgspec.structs.replace(QUIET, **changes)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, None),
        ({"bar": quiet(low=199.0)}, ExitReason.STOP_LOSS),
        ({"bar": quiet(low=150.0)}, ExitReason.STOP_LOSS),
        ({"bar": quiet(low=199.01)}, None),
        ({"bar": quiet(high=202.0)}, ExitReason.TAKE_PROFIT),
        ({"bar": quiet(high=250.0)}, ExitReason.TAKE_PROFIT),
        ({"bar": quiet(high=201.99)}, None),
        ({"at": OPENED_AT + 25 * MINUTE}, ExitReason.TIME_STOP),
        ({"at": OPENED_AT + 25 * MINUTE - 1}, None),
        ({"manage_until_passed": True}, ExitReason.SESSION_END),
    ],
)
def test_each_rule_closes_a_position_at_its_limit(
    changed: dict[str, Any], reason: ExitReason | None
) -> None:
    assert exit_reason(LIMITS, **HOLD | changed) is reason


def test_the_worst_reason_comes_first_when_several_hold() -> None:
    everything = HOLD | {"at": OPENED_AT + 26 * MINUTE, "manage_until_passed": True}

    reasons = [
        exit_reason(TRAILING, **everything | {"bar": quiet(low=low, high=high)})
        for low, high in [(198.0, 203.0), (199.1, 203.0), (199.5, 203.0), (199.5, 200.5)]
    ]
    reasons.append(exit_reason(LIMITS, **HOLD | {"manage_until_passed": True}))

    assert reasons == list(ExitReason)


def test_a_bar_that_was_over_before_the_entry_touches_nothing() -> None:
    wild = quiet(low=1.0, high=1_000.0)

    reasons = [
        exit_reason(LIMITS, **HOLD | {"bar": wild, "opened_at": opened_at})
        for opened_at in (wild.end_at - 1, wild.end_at)
    ]

    assert reasons == [ExitReason.STOP_LOSS, None]


def test_the_levels_are_exact() -> None:
    rules = ExitRules(D("0.75"), D("1.55"), MINUTE)

    levels = rules.stop_price(D("60123.45678901")), rules.take_profit_price(D("60123.45678901"))

    assert levels == (D("59672.5308630924250"), D("61055.3703692396550"))


# Prices in cents and percentages in hundredths give levels of six places at most.
ENTRIES = st.integers(100, 10_000_000).map(lambda cents: D(cents).scaleb(-2))
PERCENTS = st.integers(1, 9_999).map(lambda hundredths: D(hundredths).scaleb(-2))
STEP = D("0.000001")


@given(entry_price=ENTRIES, pct=PERCENTS)
def test_a_price_that_is_printed_just_at_a_level_touches_it_and_one_step_short_does_not(
    entry_price: Decimal, pct: Decimal
) -> None:
    rules = ExitRules(pct, pct, MINUTE)
    stop, take = rules.stop_price(entry_price), rules.take_profit_price(entry_price)

    def reason(low: Decimal, high: Decimal) -> ExitReason | None:
        bar = quiet(low=float(low), high=float(high))
        return exit_reason(rules, **HOLD | {"entry_price": entry_price, "bar": bar, "at": 0})

    assert [
        reason(low=stop, high=entry_price),
        reason(low=stop + STEP, high=entry_price),
        reason(low=entry_price, high=take),
        reason(low=entry_price, high=take - STEP),
    ] == [ExitReason.STOP_LOSS, None, ExitReason.TAKE_PROFIT, None]


def test_the_float_nearest_to_a_level_touches_it_though_it_lies_above() -> None:
    rules = ExitRules(D("0.50"), D("1.00"), 25 * MINUTE)
    stop = rules.stop_price(D("100.10"))

    reason = exit_reason(rules, **HOLD | {"entry_price": D("100.10"), "bar": quiet(low=99.5995)})

    assert stop == D("99.5995") < D(99.5995)
    assert reason is ExitReason.STOP_LOSS


@pytest.mark.parametrize("bad", [{"low": math.nan}, {"high": math.nan}, {"low": -math.inf}])
def test_a_bar_without_a_price_decides_nothing(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"^bar has a price of .*, wanted a finite number$"):
        exit_reason(LIMITS, **HOLD | {"bar": quiet(**bad)})


@pytest.mark.parametrize(
    ("limits", "complaint"),
    [
        ((D(0), D(1), 1), "stop_loss_pct is 0, wanted a decimal above 0 and below 100"),
        ((D(100), D(1), 1), "stop_loss_pct is 100, wanted a decimal above 0 and below 100"),
        ((D("NaN"), D(1), 1), "stop_loss_pct is NaN, wanted a decimal above 0 and below 100"),
        ((0.5, D(1), 1), "stop_loss_pct is 0.5, wanted a decimal above 0 and below 100"),
        ((D(1), D(0), 1), "take_profit_pct is 0, wanted a decimal above 0"),
        ((D(1), D("Infinity"), 1), "take_profit_pct is Infinity, wanted a decimal above 0"),
        ((D(1), D(1), 0), "time_stop_ns is 0, wanted an int above 0"),
        ((D(1), D(1), True), "time_stop_ns is True, wanted an int above 0"),
    ],
)
def test_a_limit_that_limits_nothing_is_refused(limits: tuple[Any, ...], complaint: str) -> None:
    with pytest.raises(BadExitRules) as caught:
        ExitRules(*limits)

    assert str(caught.value) == complaint


def test_the_rules_are_asked_from_the_worst_to_the_mildest() -> None:
    assert [rule.__name__ for rule in RULES] == [
        "stop_loss_is_touched",
        "trailing_stop_is_touched",
        "take_profit_is_touched",
        "time_is_up",
        "session_is_over",
    ]


@pytest.mark.parametrize(
    ("highest", "low", "reason"),
    [
        (None, 199.2, ExitReason.TRAILING_STOP),  # 0.4 % below the entry, which is above the stop
        (None, 199.21, None),
        (D(201), 200.196, ExitReason.TRAILING_STOP),
        (D(201), 200.2, None),
        (D(201), 198.0, ExitReason.STOP_LOSS),  # through both: the worse one
    ],
)
def test_a_trailing_stop_follows_the_highest_price_before_the_bar(
    highest: Decimal | None, low: float, reason: ExitReason | None
) -> None:
    seen = {**HOLD, "bar": quiet(low=low, high=201.5)}

    assert exit_reason(TRAILING, **seen, highest=highest) == reason
    assert exit_reason(LIMITS, **seen, highest=highest) in (None, ExitReason.STOP_LOSS)


@given(highest=st.decimals(min_value=200, max_value=400, places=4))
def test_a_stop_order_rests_at_the_higher_of_the_two_stops(highest: Decimal) -> None:
    price, rule = TRAILING.resting_price(D(200), highest)

    trailing = TRAILING.trailing_price(highest)
    assert trailing is not None
    levels = {TRAILING.stop_price(D(200)): ExitReason.STOP_LOSS, trailing: ExitReason.TRAILING_STOP}
    assert (price, rule) == (max(levels), levels[max(levels)])
    assert LIMITS.resting_price(D(200), highest) == (D(199), ExitReason.STOP_LOSS)


@pytest.mark.parametrize("odd", [D(0), D(-1), D(100), D("NaN"), 0.4, True])
def test_a_trailing_stop_that_is_no_share_is_refused_i34(odd: Any) -> None:
    with pytest.raises(BadExitRules, match="trailing_stop_pct"):
        msgspec.structs.replace(LIMITS, trailing_stop_pct=odd)


@given(
    st.decimals(min_value="0.0001", max_value=100_000, places=6),
    st.integers(-3, 3),
    st.integers(0, 6),
)
def test_a_level_compares_as_the_printed_prices_do_to_the_last_digit(
    level: Decimal, ulps: int, places: int
) -> None:
    price = float(round(level, places))
    for _ in range(abs(ulps)):
        price = math.nextafter(price, math.inf if ulps > 0 else 0.0)
    printed = Decimal(repr(price))

    assert Level.of(level).is_reached_from_above(price) is (printed <= level)
    assert Level.of(level).is_reached_from_below(price) is (printed >= level)
