"""By which rules a position is closed whose bot does not look after it."""

from decimal import Decimal

import pytest

from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from hydra.trading.exit_plans import NO_RULES, NOT_LONG, ExitPlan, reason_to_close
from hydra.trading.exit_rules import ExitRules
from hydra.trading.inventory import FifoInventory, Lot
from hydra.trading.orders import Side
from hydra.trading.sessions import Window
from tests.trading.coverage_parts import SESSIONS, instant

D = Decimal
OPENED = instant("2024-07-02 10:00")
PLAN = ExitPlan(
    bot="one",
    symbols=("AAPL",),
    rules=ExitRules(stop_loss_pct=D(1), take_profit_pct=D(2), time_stop_ns=60 * MINUTE),
    manage_window=Window.parse("09:35", "15:00", "America/New_York"),
    flat_before_close=5 * MINUTE,
)


def lots(side: Side = Side.BUY, symbol: str = "AAPL") -> FifoInventory:
    lot = Lot(side=side, quantity=D(3), price=D(100), opened_at=OPENED, execution_id="a")
    return FifoInventory(symbol, (lot,))


def bar(low: float, high: float, text: str = "2024-07-02 10:05") -> Bar:
    end = instant(text)
    return Bar("AAPL", end - MINUTE, end, low, high, low, high, 1.0)


def reason(*bars: Bar, at: str = "2024-07-02 10:10", plan: ExitPlan | None = PLAN) -> str | None:
    return reason_to_close(plan, lots(), bars, SESSIONS, instant(at))


@pytest.mark.parametrize(
    ("found", "bars", "at"),
    [
        (None, (), "2024-07-02 10:10"),
        (None, (bar(99.5, 101.0),), "2024-07-02 10:10"),
        ("stop_loss", (bar(99.0, 99.5),), "2024-07-02 10:10"),
        ("stop_loss", (bar(99.0, 99.5), bar(99.5, 100.0)), "2024-07-02 10:10"),
        ("take_profit", (bar(101.0, 102.0),), "2024-07-02 10:10"),
        ("time_stop", (), "2024-07-02 11:00"),
        ("session_end", (), "2024-07-02 15:00"),
        ("session_end", (bar(99.0, 99.5),), "2024-07-03 12:55"),
    ],
)
def test_the_bots_own_rules_say_when(found: str | None, bars: tuple[Bar, ...], at: str) -> None:
    assert reason(*bars, at=at) == found


def test_a_bar_that_was_over_before_it_was_opened_says_nothing() -> None:
    assert reason(bar(90.0, 91.0, "2024-07-02 10:00")) is None


def test_without_rules_for_it_there_is_one_rule_close_it() -> None:
    at = instant("2024-07-02 10:10")

    assert reason(plan=None) == NO_RULES
    assert reason_to_close(PLAN, lots(symbol="MSFT"), (), SESSIONS, at) == NO_RULES
    assert reason_to_close(PLAN, lots(Side.SELL), (), SESSIONS, at) == NOT_LONG
