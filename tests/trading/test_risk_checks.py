import random
from decimal import Decimal
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.trading.exact import total
from hydra.trading.money_checks import cash_reserve_is_kept
from hydra.trading.orders import Denial, OrderType, Role, Side
from hydra.trading.risk_checks import (
    CHECKS,
    CheckResult,
    all_results,
    first_denial,
)
from hydra.trading.situation import Situation
from hydra.trading.trading_state import TradingState
from tests.trading.situations import (
    ENTRY,
    EXIT,
    FLATTEN,
    LIMIT_ENTRY,
    NOW,
    PARTS,
    SECOND,
    SHORT_ENTRY,
    SHORT_EXIT,
    STOP_ENTRY,
    STOP_EXIT,
    changed,
)

D = Decimal
ACTIVE, CLOSE_ONLY, HALTED = TradingState.ACTIVE, TradingState.CLOSE_ONLY, TradingState.HALTED

ENTRIES = [ENTRY, LIMIT_ENTRY, STOP_ENTRY, SHORT_ENTRY]
REDUCING = [EXIT, SHORT_EXIT, STOP_EXIT, FLATTEN]
FINE = [*ENTRIES, *REDUCING]


# --- The chain


def test_the_checks_are_asked_in_this_order() -> None:
    assert [check.__name__ for check in CHECKS] == [
        "trading_is_open",
        "numbers_are_sane",
        "loop_has_passed",
        "positions_are_protected",
        "symbol_is_allowed",
        "decision_is_fresh",
        "session_is_open",
        "window_is_open",
        "no_corporate_action_is_near",
        "prices_fit_order_type",
        "exit_reduces_position",
        "entry_does_not_oppose_position",
        "no_order_opposes",
        "no_outcome_is_unknown",
        "price_is_known",
        "order_quantity_is_within_limit",
        "order_value_is_within_limit",
        "protective_stop_is_behind_price",
        "symbol_exposure_is_within_limit",
        "bot_exposure_is_within_limit",
        "equity_is_known",
        "gross_exposure_is_within_limit",
        "cash_reserve_is_kept",
        "heat_is_within_limit",
        "daily_loss_is_within_limit",
        "drawdown_is_within_limit",
        "rejections_are_within_limit",
        "price_is_fresh",
        "prices_are_on_step",
        "prices_are_within_collar",
        "order_is_not_repeated",
        "entry_gap_is_kept",
        "symbol_entry_rate_is_within_limit",
        "entry_rate_is_within_limit",
        "exit_rate_is_within_limit",
        "window_notional_is_within_limit",
        "entries_today_are_within_limit",
        "notional_today_is_within_limit",
        "round_trips_are_within_limit",
        "bot_budget_covers_loss",
        "bucket_budget_covers_loss",
        "day_budget_covers_loss",
        "trading_is_open",
    ]


@pytest.mark.parametrize("fine", FINE)
def test_a_fine_order_passes_every_check(fine: Situation) -> None:
    assert first_denial(fine) is None
    assert all_results(fine) == tuple(CheckResult(check.__name__, "") for check in CHECKS)


WRONG_IN_TURN: list[tuple[str, dict[str, Any]]] = [
    ("day_budget_covers_loss", {"day_left": D(0)}),
    ("bucket_budget_covers_loss", {"bucket_left": D(0)}),
    ("bot_budget_covers_loss", {"bot_left": D(0)}),
    ("round_trips_are_within_limit", {"round_trips_today": 20}),
    ("notional_today_is_within_limit", {"notional_today": D(10**6)}),
    ("entries_today_are_within_limit", {"entries_today": 50}),
    ("window_notional_is_within_limit", {"notional_in_window": D(10**6)}),
    ("entry_rate_is_within_limit", {"entries_last_minute": 10}),
    ("symbol_entry_rate_is_within_limit", {"entries_last_minute_symbol": 6}),
    ("entry_gap_is_kept", {"last_entry_at": NOW}),
    ("order_is_not_repeated", {"last_similar_at": NOW}),
    ("prices_are_within_collar", {"reference_price": D(1)}),
    ("prices_are_on_step", {"order_type": OrderType.LIMIT, "limit_price": D("112.001")}),
    ("price_is_fresh", {"price_at": 0}),
    ("rejections_are_within_limit", {"rejections_in_a_row": 3}),
    ("drawdown_is_within_limit", {"peak": D(10**6)}),
    ("daily_loss_is_within_limit", {"day_start": D(10**6)}),
    ("heat_is_within_limit", {"heat_after": D(10**6)}),
    ("cash_reserve_is_kept", {"cash": D(30_000)}),
    ("gross_exposure_is_within_limit", {"gross_exposure_after": D(10**6)}),
    ("equity_is_known", {"equity": None}),
    ("bot_exposure_is_within_limit", {"bot_exposure_after": None}),
    ("symbol_exposure_is_within_limit", {"symbol_exposure_after": None}),
    ("protective_stop_is_behind_price", {"protective_stop": D(200)}),
    ("order_value_is_within_limit", {"order_notional_usd_max": D(1)}),
    ("order_quantity_is_within_limit", {"order_quantity_max": D(1)}),
    ("price_is_known", {"price": None}),
    ("no_outcome_is_unknown", {"unknown": ("hy1-a",)}),
    ("no_order_opposes", {"opposing": ("hy1-b",)}),
    ("entry_does_not_oppose_position", {"bot_position": D(-1)}),
    ("prices_fit_order_type", {"stop_price": D("112.001")}),
    ("no_corporate_action_is_near", {"near": "forward split 4 for 1"}),
    ("window_is_open", {"window_open": False}),
    ("session_is_open", {"session_open": False}),
    ("decision_is_fresh", {"decided_at": 0}),
    ("symbol_is_allowed", {"symbols": frozenset()}),
    ("positions_are_protected", {"is_heard": False}),
    ("loop_has_passed", {"passed": False}),
    ("numbers_are_sane", {"quantity": D("NaN")}),
    ("trading_is_open", {"state": HALTED}),
]


def test_of_many_faults_the_first_in_the_order_of_checks_is_told() -> None:
    """From the last check to the first one more fault is added, and is always the one told."""
    told, wrong = [], ENTRY
    for _, changes in WRONG_IN_TURN:
        wrong = changed(wrong, **changes)
        denial = first_denial(wrong)
        told.append(denial.check if denial else None)

    assert told == [check for check, _ in WRONG_IN_TURN]
    exits_only = {"exit_reduces_position", "exit_rate_is_within_limit"}
    assert {check.__name__ for check in CHECKS} - set(told) == exits_only


def test_why_shows_every_check_with_its_reason_and_its_numbers() -> None:
    wrong = changed(
        ENTRY, state=CLOSE_ONLY, cause_codes=("daily_loss",), order_quantity_max=D(9), day_left=D(5)
    )
    reasons = {
        "trading_is_open": "only orders that reduce a position may pass (daily_loss)",
        "order_quantity_is_within_limit": "order is for 10 AAPL, at most 9 allowed",
        "day_budget_covers_loss": (
            "its loss at the stop is 9.45 USD, the budget left for the day 5 USD"
        ),
    }

    assert all_results(wrong) == tuple(
        CheckResult(check.__name__, reasons.get(check.__name__, "")) for check in CHECKS
    )


def test_why_asks_nothing_more_about_numbers_that_are_not_sane_i34() -> None:
    insane = "equity.peak is NaN, wanted a decimal within 1e+15 of at most 60 places, or none"

    first, second, *others, last = all_results(changed(ENTRY, peak=D("NaN")))

    assert first == last == CheckResult("trading_is_open", "")
    assert second == CheckResult("numbers_are_sane", insane)
    assert {result.reason for result in others} == {"not asked: the numbers are not sane"}


# --- Whatever the situation

# What is worse the higher it is, or the lower: a range around where it begins to deny.
HIGHER_IS_WORSE: dict[str, tuple[int, int]] = {
    "quantity": (1, 200),
    "bot_reducing_live": (0, 20),
    "account_reducing_live": (0, 20),
    "symbol_exposure_after": (9_000, 11_000),
    "bot_exposure_after": (11_000, 13_000),
    "gross_exposure_after": (69_000, 71_000),
    "heat_after": (490, 510),
    "loss_at_stop": (1, 1_100),
    "notional_in_window": (18_000, 21_000),
    "notional_today": (48_000, 51_000),
    "entries_last_minute": (0, 12),
    "entries_last_minute_symbol": (0, 12),
    "exits_last_minute": (110, 130),
    "entries_today": (40, 60),
    "rejections_in_a_row": (0, 6),
    "round_trips_today": (10, 30),
    "day_start": (100_000, 102_000),
    "peak": (100_000, 103_000),
    "last_entry_at": (NOW - 2 * SECOND, NOW + 2 * SECOND),
    "last_similar_at": (NOW - 10 * SECOND, NOW + 2 * SECOND),
    "entry_gap_ns_min": (1, 3 * SECOND),
    "similar_order_ns": (1, 10 * SECOND),
}
LOWER_IS_WORSE: dict[str, tuple[int, int]] = {
    "equity": (90_000, 100_000),
    "bot_left": (0, 20),
    "bucket_left": (0, 20),
    "day_left": (-10, 20),
    "decided_at": (NOW - 60 * SECOND, NOW),
    "price_at": (NOW - 60 * SECOND, NOW),
    "order_notional_usd_max": (1_000, 2_000),
    "order_quantity_max": (1, 20),
    "price_collar_pct": (1, 10),
    "symbol_exposure_usd_max": (1_000, 2_000),
    "bot_exposure_usd_max": (1_000, 2_000),
    "gross_exposure_pct_max": (1, 3),
    "heat_pct_max": (1, 3),
    "daily_loss_pct_max": (1, 3),
    "drawdown_pct_max": (1, 3),
    "entries_per_minute_max": (1, 12),
    "entries_per_minute_symbol_max": (1, 12),
    "exits_per_minute_max": (1, 130),
    "entries_per_day_max": (1, 60),
    "notional_per_window_usd_max": (1_000, 2_000),
    "notional_per_day_usd_max": (1_000, 2_000),
    "rejections_in_a_row_max": (1, 5),
    "round_trips_per_day_max": (1, 30),
    "decision_age_ns_max": (1, 10 * SECOND),
    "price_age_ns_max": (1, 10 * SECOND),
}
ALWAYS_WORSE: list[dict[str, Any]] = [
    {"state": HALTED},
    {"opposing": ("hy1-z",)},
    {"unknown": ("hy1-z",)},
    {"session_open": False},
    {"window_open": False},
    {"price": None},
    {"price_steps": ()},
    {"symbols": frozenset()},
    *({f"{what}_after": None} for what in ("symbol_exposure", "bot_exposure", "gross_exposure")),
    *({what: None} for what in ("heat_after", "loss_at_stop", "equity", "day_start", "peak")),
    *({f"{what}_left": None} for what in ("bot", "bucket", "day")),
]


RANGES = HIGHER_IS_WORSE | LOWER_IS_WORSE


def numbers_near(field: str) -> st.SearchStrategy[Any]:
    """Around where the field begins to deny."""
    low, high = RANGES[field]
    part = next(part for part in PARTS if field in getattr(ENTRY, part).__struct_fields__)
    hint = get_type_hints(type(getattr(ENTRY, part)))[field]
    is_decimal = hint is Decimal or Decimal in get_args(hint)
    return st.decimals(low, high, places=2) if is_decimal else st.integers(low, high)


WEIRD = (
    st.decimals(allow_nan=True, allow_infinity=True)
    | st.integers()
    | st.sampled_from([None, D("sNaN"), D("1E+15"), D("1E-60"), D("-0"), 10**5_000, True, 1.5, ""])
)
LIKELY: dict[str, st.SearchStrategy[Any]] = {
    **{field: numbers_near(field) for field in RANGES},
    "state": st.sampled_from(TradingState),
    "role": st.sampled_from(Role),
    "side": st.sampled_from(Side),
    "order_type": st.sampled_from(OrderType),
    "symbol": st.sampled_from(["AAPL", "TSLA"]),
    "limit_price": st.none() | st.decimals(100, 120, places=2),
    "stop_price": st.none() | st.decimals(100, 120, places=3),
    "protective_stop": st.none() | st.decimals(100, 120, places=2),
    "price": st.none() | st.decimals(100, 120, places=2),
    "bot_position": st.decimals(-20, 20, places=1),
    "account_position": st.decimals(-20, 20, places=1),
    "session_open": st.booleans(),
    "window_open": st.booleans(),
    "opposing": st.sampled_from([(), ("hy1-a",)]),
    "unknown": st.sampled_from([(), ("hy1-a",)]),
    "replaces": st.sampled_from([None, "hy1-a"]),
}
NOT_NUMBERS = {"bot", "symbol", "role", "side", "order_type", "replaces", "symbols", "opposing"}
NOT_NUMBERS |= {"unknown", "session_open", "window_open", "price_steps"}
NUMBERS = [
    name
    for part in PARTS
    for name in getattr(ENTRY, part).__struct_fields__
    if name not in NOT_NUMBERS
]


def some_of(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(st.sampled_from(sorted(fields)), max_size=4, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: fields[name] for name in names})
    )


SOME_CHANGES = some_of(LIKELY)
SITUATIONS = st.builds(
    lambda fine, changes: changed(fine, **changes), st.sampled_from(FINE), SOME_CHANGES
)
MANY = settings(max_examples=300)


@MANY
@given(situation=SITUATIONS, weird=some_of(dict.fromkeys(NUMBERS, WEIRD)))
def test_every_situation_is_answered_and_by_the_chain_and_by_why_the_same_i34(
    situation: Situation, weird: dict[str, Any]
) -> None:
    situation = changed(situation, **weird)

    denial = first_denial(situation)

    results = all_results(situation)
    assert [result.check for result in results] == [check.__name__ for check in CHECKS]
    first = next((result for result in results if result.reason), None)
    assert denial == (Denial(first.check, first.reason) if first else None)


@MANY
@given(situation=SITUATIONS)
def test_what_passes_is_within_every_limit_i31_i34_i35_i36(situation: Situation) -> None:
    if first_denial(situation) is None:
        order, book, limits = situation.proposal, situation.book, situation.limits
        assert order.quantity > 0
        assert situation.market.session_open
        assert not book.opposing
        if order.role is Role.ENTRY:
            assert situation.state is ACTIVE
            assert not book.unknown
            assert situation.market.price is not None
            assert order.quantity * situation.market.price <= limits.order_notional_usd_max
            assert book.symbol_exposure_after is not None
            assert book.symbol_exposure_after <= limits.symbol_exposure_usd_max
            assert book.loss_at_stop is not None
            assert situation.budget.day_left is not None
            assert 0 < book.loss_at_stop <= situation.budget.day_left
            assert situation.rates.entries_last_minute < limits.entries_per_minute_max
        else:
            assert situation.state is not HALTED or order.role is Role.FLATTEN
            assert never_grows_or_flips(situation)
            assert situation.rates.exits_last_minute < limits.exits_per_minute_max


def never_grows_or_flips(situation: Situation) -> bool:
    """Whether the position stays on its side of zero however many reducing orders are filled."""
    order, book = situation.proposal, situation.book
    filled = [order.quantity, order.quantity + book.bot_reducing_live]
    before = book.bot_position
    afterwards = [before + order.side.sign * quantity for quantity in filled]
    return all(abs(after) < abs(before) and after * before >= 0 for after in afterwards)


@st.composite
def ladders(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A change for the worse, and behind it the same change, worse still."""
    field = draw(st.sampled_from(sorted(RANGES)))
    numbers = [draw(LIKELY[field]), draw(LIKELY[field])]
    better, worse = sorted(numbers, reverse=field in LOWER_IS_WORSE)
    return {field: better}, {field: worse}


@MANY
@given(fine=st.sampled_from(FINE), changes=SOME_CHANGES, ladder=ladders())
def test_what_is_denied_is_still_denied_when_it_gets_worse_i31_i36(
    fine: Situation,
    changes: dict[str, Any],
    ladder: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    better, worse = ladder

    for base in (fine, changed(fine, **changes)):
        if first_denial(changed(base, **better)) is not None:
            assert first_denial(changed(base, **worse)) is not None


@MANY
@given(situation=SITUATIONS, worse=st.sampled_from(ALWAYS_WORSE))
def test_nothing_is_approved_for_what_is_missing_closed_or_unknown_i31_i36(
    situation: Situation, worse: dict[str, Any]
) -> None:
    if first_denial(situation) is not None:
        assert first_denial(changed(situation, **worse)) is not None


def test_in_a_hundred_thousand_steps_of_close_only_no_position_grows_or_changes_sign_i09() -> None:
    """Two bots in one symbol ask for all kinds of orders, which end in parts and in any order.

    Neither bot's position nor the account's, which is all that the venue knows, may grow or flip.
    """
    chance = random.Random(9)
    positions = [D(0), D(0)]
    # What an approved order would do to the position: signed, so that a wrong side would show.
    live: list[list[Decimal]] = [[], []]
    approved = 0
    for _ in range(100_000):
        bot = chance.randrange(2)
        before, account, orders = positions[bot], total(positions), live[bot]
        match chance.randrange(4):
            case 0 | 1:
                wish = changed(
                    EXIT,
                    state=CLOSE_ONLY,
                    role=chance.choice(list(Role)),
                    side=chance.choice(list(Side)),
                    quantity=D(chance.choice((1, 2, 5, 20, 80))),
                    bot_position=before,
                    account_position=account,
                    bot_reducing_live=total(map(abs, orders)),
                    account_reducing_live=total(map(abs, live[0] + live[1])),
                )
                if first_denial(wish) is None:
                    orders.append(wish.proposal.side.sign * wish.proposal.quantity)
                    approved += 1
            case 2 if orders:
                order = orders.pop(chance.randrange(len(orders)))
                part = D(chance.randrange(1, int(abs(order)) + 1)).copy_sign(order)
                positions[bot] += part
                if part != order:
                    orders.append(order - part)
            case _ if orders:
                orders.pop(chance.randrange(len(orders)))
            case _:
                pass
        for after, was in ((positions[bot], before), (total(positions), account)):
            assert abs(after) <= abs(was)
            assert after * was >= 0
        if total(positions) == 0 and not any(live):
            # Begin anew; long, short, or one against the other.
            positions = [D(chance.choice((1_000, -600))) for _ in positions]
    assert approved > 5_000


@pytest.mark.parametrize(
    ("shorts", "reason"),
    [
        (D(60_000), None),
        (
            D(70_000),
            (
                "cash after it 28878.70 USD (100000 USD less 1121.30 USD of working buys and this"
                " one, and 70000 USD to buy back what is short), at least 30000.00 USD (30 % of"
                " 100000 USD) wanted in reserve"
            ),
        ),
        (
            None,
            (
                "cash is 100000 USD, working buys and this one 1121.30 USD, and unknown to buy back"
                " what is short, at least 30 % of 100000 USD wanted in reserve"
            ),
        ),
    ],
)
def test_what_shorts_were_sold_for_is_no_reserve(shorts: Decimal | None, reason: str) -> None:
    fine = changed(ENTRY, shorts_after=shorts)

    assert cash_reserve_is_kept(fine) == reason
    assert cash_reserve_is_kept(changed(EXIT, shorts_after=shorts)) is None
