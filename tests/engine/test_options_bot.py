"""The whole engine with the options bot: contracts are bought, protected and sold."""

from decimal import Decimal
from pathlib import Path

import pytest

from hydra.actor import MILLISECOND, MINUTE, SECOND
from hydra.trading.causes import DAILY_LOSS
from hydra.trading.differences import DifferenceKind
from hydra.trading.orders import Side
from hydra.venues.simulated.faults import DriftPosition
from hydra.venues.simulated.requests import Submit
from messages.reconciliation import DifferenceSettled, ReconcileNow, SettleDifference
from supervisors import paths
from tests.actors.option_stage import CALL, PUT
from tests.engine.harness import plan_of, struck
from tests.engine.option_world import HELD_AT, SIGNAL, OptionLife, holding, option_market
from tests.engine.scenery import OPEN_AT, settings_with

D = Decimal
SIGNAL_AT = OPEN_AT + 16 * MINUTE
SOON_OVER = settings_with(
    {
        "optionsbot.exits.time_stop_minutes": 1000,
        "optionsbot.exits.take_profit_pct": D(100),
        "safety.global_cooldown_minutes": 1,
        "exitbot.cooloff_minutes": 1,
    }
)
"""A halt is over in a minute, and nothing that is held is closed."""


@pytest.mark.parametrize("behind_ms", [0, 150, 400])
def test_a_signal_becomes_an_entry_also_by_a_clock_that_is_behind_ours_i47(
    tmp_path: Path, behind_ms: int
) -> None:
    data = option_market({"SPY": SIGNAL[:40], CALL: [2.0] * 40, PUT: [2.0] * 40})
    it = OptionLife(data, tmp_path / "ledger.db")
    it.behind = behind_ms * MILLISECOND
    it.run_to(SIGNAL_AT - SECOND)
    it.life.run_to(SIGNAL_AT)

    for _ in range(8):  # a lively contract: the first of them are of before it was chosen
        it.life.advance(100 * MILLISECOND)
        it.tell_quotes()
    it.run_to(SIGNAL_AT + MINUTE)

    assert it.life.denials == []
    assert it.positions == {CALL: 2}
    assert [(symbol, role) for symbol, role, _, _ in it.orders] == [(CALL, "entry")]


@pytest.mark.parametrize("is_lost", [True, False], ids=["lost", "mute"])
def test_a_contract_of_which_no_price_comes_any_more_is_closed_i30_i45(
    tmp_path: Path, is_lost: bool
) -> None:
    it = holding(tmp_path, [2.0] * 30 + [0.2] * 360)
    if is_lost:
        it.lose_contracts()
    else:
        it.mute_contracts()

    it.run_for(6 * MINUTE)
    assert it.positions == {CALL: 2}
    it.run_for(2 * MINUTE)

    assert it.positions == {}
    assert it.orders[1:] == [(CALL, "exit", "market", None)]
    taken_over = it.life.journal.events("position_taken_over")
    assert [each["reason"] for each in taken_over] == ["its bot sees no price of it"]


def test_a_contract_whose_prices_come_again_is_left_to_its_bot_i30(tmp_path: Path) -> None:
    it = holding(tmp_path)
    it.mute_contracts(6 * MINUTE)
    it.run_for(6 * MINUTE)
    it.run_for(10 * MINUTE)

    assert it.positions == {CALL: 2}
    assert it.life.journal.events("position_taken_over") == []


def test_a_mute_stream_of_contracts_is_connected_anew_i45(tmp_path: Path) -> None:
    it = holding(tmp_path)
    well = list(it.feed.renewed)
    it.mute_contracts()

    it.run_for(130 * SECOND)

    assert (well, it.feed.renewed) == ([], ["options", "options"])


@pytest.mark.parametrize(
    ("half_spread", "price", "bid"),
    [(0.02, 1.2, "1.18"), (0.15, 1.2, "1.05"), (0.01, 0.44, "0.43")],
    ids=["narrow", "wide", "cheap"],
)
def test_an_exit_is_a_limit_at_the_bid_also_in_a_wide_or_a_cheap_market_i35(
    tmp_path: Path, half_spread: float, price: float, bid: str
) -> None:
    it = holding(tmp_path, [2.0] * 30 + [price] * 30)
    it.half_spread = half_spread

    it.run_for(10 * MINUTE)

    assert it.positions == {}
    assert it.life.denials == []
    assert it.orders[1] == (CALL, "exit", "limit", D(bid))


def test_an_exit_of_a_cheap_contract_is_a_limit_after_a_restart_too_i35_i38(tmp_path: Path) -> None:
    """In which steps the contract is priced only its listing said."""
    it = holding(tmp_path, [2.0] * 30 + [0.44] * 30)
    it.life.die()
    it.begin()

    it.run_for(10 * MINUTE)

    assert it.positions == {}
    assert it.orders[1] == (CALL, "exit", "limit", D("0.40"))


def test_an_exit_that_a_halt_alone_has_denied_is_a_limit_when_it_is_over(tmp_path: Path) -> None:
    it = holding(tmp_path, [2.0] * 30 + [1.2] * 30)
    it.life.halt_by_operator()
    it.run_for(10 * MINUTE)
    denied = set(it.life.denials)
    it.life.ask_to_resume()

    it.run_for(5 * MINUTE)

    assert denied == {"trading_is_open"}
    assert it.positions == {}
    assert it.orders[1] == (CALL, "exit", "limit", D("1.19"))


SHORT = "SPY160513C00105000"


def with_spread(tmp_path: Path, paid: str) -> OptionLife:
    """An operator has assigned two long and two short calls to the bot. They stand at 2 and 1."""
    found = {CALL: (D(2), D(paid)), SHORT: (D(-2), D(1))}
    rules = [
        struck(DriftPosition(symbol=symbol, quantity=quantity), from_event=60)
        for symbol, (quantity, _) in found.items()
    ]
    bars = {"SPY": [100.0] * 80, CALL: [2.0] * 80, SHORT: [1.0] * 80, PUT: [2.0] * 80}
    it = OptionLife(option_market(bars), tmp_path / "ledger.db", plan=plan_of(*rules))
    it.run_to(HELD_AT)
    for symbol, (quantity, price) in found.items():
        word = SettleDifference(
            kind=DifferenceKind.POSITION,
            subject=symbol,
            amount=quantity,
            reason="mine",
            operator="ada",
            decision="assign",
            bot="opt_core",
            price=price,
        )
        assert isinstance(it.life.ask(paths.STATE_PERSISTER, word), DifferenceSettled)
        it.life.advance(SECOND)
    it.life.tell(paths.BROKER_GATEWAY, ReconcileNow(reason="a test"))
    it.life.advance(SECOND)
    return it


def nakedness(it: OptionLife, duration: int) -> Decimal:
    """The most that was ever short without as much being long."""
    most, until = D(0), it.life.now + duration
    while it.life.now < until:
        it.run_for(5 * SECOND)
        have = it.positions
        most = max(most, -have.get(SHORT, D(0)) - have.get(CALL, D(0)))
    return most


def test_the_long_leg_of_a_spread_is_not_sold_before_the_short_one_is_bought_back(
    tmp_path: Path,
) -> None:
    it = with_spread(tmp_path, paid="1")  # its profit is taken at once
    it.life.ask_to_resume()

    naked = nakedness(it, 6 * MINUTE)

    assert naked == 0
    assert it.positions == {}
    assert [(symbol, role) for symbol, role, _, _ in it.orders][:2] == [
        (SHORT, "exit"),
        (CALL, "exit"),
    ]


def test_nor_is_it_on_a_lost_day(tmp_path: Path) -> None:
    it = with_spread(tmp_path, paid="2")
    it.life.ask_to_resume()
    it.life.advance(2 * SECOND)
    it.life.halt(DAILY_LOSS.cause(since=it.life.now, detail="a test"))

    naked = nakedness(it, 6 * MINUTE)

    assert naked == 0
    assert it.positions == {}
    asked = [(each.order.symbol, each.order.side) for each in it.world.asked(Submit)]
    assert asked == [(SHORT, Side.BUY), (CALL, Side.SELL)]


def test_an_exit_of_an_earlier_life_that_rests_makes_way_for_another_i38(tmp_path: Path) -> None:
    it = holding(tmp_path, [2.0] * 30 + [1.2] + [0.8] * 30)
    it.run_to(OPEN_AT + 31 * MINUTE + 20 * SECOND)
    exits = it.orders[1:]
    it.life.die()
    it.begin()
    it.run_for(3 * MINUTE)

    assert exits == [(CALL, "exit", "limit", D("1.19"))]
    assert it.positions == {}
    assert it.orders[2][1:] == ("exit", "limit", D("1.15"))


def test_a_price_that_nobody_paid_leaves_no_drawdown_behind_i37(tmp_path: Path) -> None:
    it = holding(tmp_path, settings=SOON_OVER)

    it.trouble.lie("ten times", it.life.now + 2 * MINUTE)
    it.run_for(2 * MINUTE)
    lied_to = set(it.life.causes)
    it.run_for(2 * MINUTE)
    it.life.ask_to_resume()
    it.run_for(2 * MINUTE)

    assert lied_to == {"nav_jump"}
    assert it.life.causes == {}
