from decimal import Decimal
from typing import Any

import pytest

from hydra.trading.money_checks import order_value
from hydra.trading.orders import Denial
from hydra.trading.risk_checks import first_denial
from hydra.trading.situation import Situation
from tests.trading.situations import (
    ENTRY,
    EXIT,
    FLATTEN,
    LIMIT_ENTRY,
    SHORT_ENTRY,
    SHORT_EXIT,
    STOP_ENTRY,
    STOP_EXIT,
    changed,
)

D = Decimal
REDUCING = [EXIT, SHORT_EXIT, STOP_EXIT, FLATTEN]
AT_100 = {"price": D(100), "reference_price": D(100), "protective_stop": None}
BIG = {"order_quantity_max": D(10**6)}
EQUITY = {"day_start": D(100_000), "peak": D(100_000)}
RICH = {"day_left": D(10**6), "bucket_left": D(10**6), "bot_left": D(10**6)}

# What is set besides, the field, one step inside its limit, at it, one beyond it; what denies that.
BOUNDARIES: list[tuple[dict[str, Any], str, str, str, str, Denial]] = [
    (
        {},
        "quantity",
        "9.999999999",
        "10",
        "10.000000001",
        Denial(
            "order_quantity_is_within_limit", "order is for 10.000000001 AAPL, at most 10 allowed"
        ),
    ),
    (
        AT_100 | BIG,
        "quantity",
        "49.999999999",
        "50",
        "50.000000001",
        Denial(
            "order_value_is_within_limit",
            "order value 5000.000000100 USD, at most 5000 USD allowed",
        ),
    ),
    (
        {},
        "symbol_exposure_after",
        "9999.99",
        "10000",
        "10000.01",
        Denial(
            "symbol_exposure_is_within_limit",
            "exposure in the symbol after it 10000.01 USD, at most 10000 USD allowed",
        ),
    ),
    (
        {},
        "bot_exposure_after",
        "11999.99",
        "12000",
        "12000.01",
        Denial(
            "bot_exposure_is_within_limit",
            "exposure of the bot after it 12000.01 USD, at most 12000 USD allowed",
        ),
    ),
    (
        EQUITY,
        "gross_exposure_after",
        "69999.99",
        "70000",
        "70000.01",
        Denial(
            "gross_exposure_is_within_limit",
            "gross exposure after it 70000.01 USD, "
            "at most 70000.00 USD (70 % of 100000 USD) allowed",
        ),
    ),
    (
        EQUITY,
        "heat_after",
        "499.99",
        "500",
        "500.01",
        Denial(
            "heat_is_within_limit",
            "open risk after it 500.01 USD, at most 500.000 USD (0.5 % of 100000 USD) allowed",
        ),
    ),
    (
        EQUITY,
        "equity",
        "99000.01",
        "99000",
        "98999.99",
        Denial(
            "daily_loss_is_within_limit",
            "loss today 1000.01 USD, at most 1000.00 USD (1 % of 100000 USD) allowed",
        ),
    ),
    (
        EQUITY | {"daily_loss_pct_max": D(50)},
        "equity",
        "98500.01",
        "98500",
        "98499.99",
        Denial(
            "drawdown_is_within_limit",
            "drawdown 1500.01 USD, at most 1500.000 USD (1.5 % of 100000 USD) allowed",
        ),
    ),
    (
        {},
        "bot_left",
        "9.46",
        "9.45",
        "9.44",
        Denial(
            "bot_budget_covers_loss",
            "its loss at the stop is 9.45 USD, the budget left for the bot 9.44 USD",
        ),
    ),
    (
        {},
        "bucket_left",
        "9.46",
        "9.45",
        "9.44",
        Denial(
            "bucket_budget_covers_loss",
            "its loss at the stop is 9.45 USD, the budget left for the bucket 9.44 USD",
        ),
    ),
    (
        {},
        "day_left",
        "9.46",
        "9.45",
        "9.44",
        Denial(
            "day_budget_covers_loss",
            "its loss at the stop is 9.45 USD, the budget left for the day 9.44 USD",
        ),
    ),
]


@pytest.mark.parametrize(
    ("besides", "field", "inside", "at", "beyond", "denial"),
    BOUNDARIES,
    ids=[row[-1].check for row in BOUNDARIES],
)
def test_an_entry_may_reach_each_limit_and_not_pass_it_by_a_step_i31_i35(
    besides: dict[str, Any], field: str, inside: str, at: str, beyond: str, denial: Denial
) -> None:
    fine = changed(ENTRY, **({"order_quantity_max": D(10)} | besides))

    assert first_denial(changed(fine, **{field: D(inside)})) is None
    assert first_denial(changed(fine, **{field: D(at)})) is None
    assert first_denial(changed(fine, **{field: D(beyond)})) == denial


@pytest.mark.parametrize("fine", REDUCING)
@pytest.mark.parametrize(
    "changes",
    [
        {"order_quantity_max": D("0.000000001")},
        {"order_notional_usd_max": D("0.01")},
        {"symbol_exposure_after": None},
        {"symbol_exposure_after": D(10**9)},
        {"bot_exposure_after": None},
        {"bot_exposure_after": D(10**9)},
        {"gross_exposure_after": None},
        {"gross_exposure_after": D(10**9)},
        {"heat_after": None},
        {"heat_after": D(10**9)},
        {"loss_at_stop": None},
        {"loss_at_stop": D(10**9)},
        {"bot_left": None},
        {"bot_left": D(-1)},
        {"bucket_left": None},
        {"bucket_left": D(-1)},
        {"day_left": None},
        {"day_left": D(-1)},
        {"equity": None},
        {"equity": D(-1)},
        {"equity": D(1)},
        {"day_start": None},
        {"peak": None},
        {"peak": D(10**9)},
    ],
    ids=repr,
)
def test_what_leaves_a_position_is_never_held_by_money_i31(
    fine: Situation, changes: dict[str, Any]
) -> None:
    assert first_denial(changed(fine, **changes)) is None


@pytest.mark.parametrize(
    ("field", "denial"),
    [
        (
            "symbol_exposure_after",
            Denial(
                "symbol_exposure_is_within_limit",
                "exposure in the symbol after it is unknown, at most 10000 USD allowed",
            ),
        ),
        (
            "bot_exposure_after",
            Denial(
                "bot_exposure_is_within_limit",
                "exposure of the bot after it is unknown, at most 12000 USD allowed",
            ),
        ),
        (
            "gross_exposure_after",
            Denial(
                "gross_exposure_is_within_limit",
                "gross exposure after it is unknown, at most 70 % of 100000 USD allowed",
            ),
        ),
        (
            "heat_after",
            Denial(
                "heat_is_within_limit",
                "open risk after it is unknown, at most 0.5 % of 100000 USD allowed",
            ),
        ),
        (
            "loss_at_stop",
            Denial(
                "bot_budget_covers_loss",
                "its loss at the stop is unknown: no budget can be asked for that",
            ),
        ),
        ("bot_left", Denial("bot_budget_covers_loss", "no budget was granted for the bot")),
        (
            "bucket_left",
            Denial("bucket_budget_covers_loss", "no budget was granted for the bucket"),
        ),
        ("day_left", Denial("day_budget_covers_loss", "no budget was granted for the day")),
    ],
)
def test_what_is_not_known_of_an_entry_denies_it_i31(field: str, denial: Denial) -> None:
    assert first_denial(changed(ENTRY, **{field: None})) == denial


@pytest.mark.parametrize("field", ["equity", "day_start", "peak"])
@pytest.mark.parametrize(
    ("amount", "words"), [(None, "unknown"), (D(0), "0 USD"), (D(-1), "-1 USD")]
)
def test_an_account_of_unknown_or_no_worth_enters_nothing_i37(
    field: str, amount: Decimal | None, words: str
) -> None:
    found = {"equity": "100000 USD", "day_start": "100000 USD", "peak": "100000 USD", field: words}

    assert first_denial(changed(ENTRY, **{field: amount})) == Denial(
        "equity_is_known",
        f"equity is {found['equity']}, {found['day_start']} when the day began, {found['peak']} at "
        "its peak; wanted all known and above 0",
    )


def test_a_loss_is_measured_from_the_days_start_and_a_drawdown_from_the_peak_i37() -> None:
    """After a rise the drawdown binds first, however much of the rise is left."""
    risen = changed(ENTRY, equity=D(103_455), day_start=D(100_000), peak=D(105_000))

    denial = first_denial(risen)

    assert first_denial(changed(risen, equity=D(103_425))) is None
    assert first_denial(changed(risen, peak=D(105_031))) == Denial(
        "drawdown_is_within_limit",
        "drawdown 1576 USD, at most 1575.465 USD (1.5 % of 105031 USD) allowed",
    )
    assert denial is None


def test_an_entry_that_can_lose_nothing_has_not_been_reckoned_and_is_denied_i31() -> None:
    assert first_denial(changed(ENTRY, loss_at_stop=D(0), bot_left=D(0))) == Denial(
        "bot_budget_covers_loss",
        "its loss at the stop is 0 USD: no budget can be asked for that",
    )


def test_the_value_is_reckoned_exactly_i35() -> None:
    # 28 digits, the usual context of a thread, would round this down to the limit.
    price = D(f"10000.{'0' * 27}1")
    entry = changed(
        ENTRY, quantity=D("0.5"), price=price, reference_price=price, protective_stop=None
    )

    assert first_denial(entry) == Denial(
        "order_value_is_within_limit",
        f"order value 5000.{'0' * 28}5 USD, at most 5000 USD allowed",
    )


@pytest.mark.parametrize(
    ("fine", "market", "seen", "value"),
    [
        (LIMIT_ENTRY, D("112.01"), None, D("1120.10")),
        (LIMIT_ENTRY, D("111.99"), None, D("1120.00")),
        (LIMIT_ENTRY, None, None, D("1120.00")),
        (STOP_ENTRY, D("113.01"), None, D("1130.10")),
        (STOP_ENTRY, D("112.99"), D("112.98"), D("1130.00")),
        (SHORT_ENTRY, D(100), D(101), D(1010)),
        (SHORT_ENTRY, D(101), D(100), D(1010)),
        (ENTRY, None, D(100), D(1000)),
        (ENTRY, None, None, None),
    ],
)
def test_an_order_is_worth_the_highest_price_that_concerns_it_i35(
    fine: Situation, market: Decimal | None, seen: Decimal | None, value: Decimal | None
) -> None:
    assert order_value(changed(fine, reference_price=seen).proposal, market) == value
