"""The crypto bot in the whole engine, beside bots on shares and round the clock.

What of `cryptobot` in bots.yaml is shown where (an effect each):

- enabled, bot_id, pairs: `test_one_bot_trades_all_its_pairs_...`, `test_one_that_is_off_...`
- session: `test_windows_...` in tests/trading/test_coin_pair.py, `test_it_enters_only_in_its_...`
- execution.order_type, tif: `test_an_entry_goes_as_it_is_configured_...`
- execution.use_notional, default_notional_usd: there, and in tests/trading/test_coin_orders.py
- risk.max_trades_per_day, max_concurrent_positions: `test_the_limits_count_over_all_pairs_...`
- exits.*: `test_what_it_holds_is_closed_...` in tests/trading/test_coin_pair.py, and below
- signal.mode, params: `test_it_follows_the_strategy_that_is_named`
"""

from collections import Counter
from datetime import time
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from hydra.actor import MINUTE, SECOND
from hydra.trading.bars import Bar
from hydra.trading.durations import DAY, HOUR
from hydra.trading.exact import multiply, total
from hydra.trading.orders import DecisionKey, Order, OrderType, Role, Side, TimeInForce
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.trading.trading_state import TradingState
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.faults import DriftPosition, PlantOrder
from hydra.venues.simulated.market_data import MarketData, from_path
from hydra.venues.simulated.requests import Cancel, Submit
from hydra.venues.simulated.terms import VenueTerms
from messages.orders import OrderIntent
from messages.reconciliation import DifferenceSettled
from supervisors import paths
from tests.engine.harness import (
    Life,
    World,
    bars_of,
    begun,
    plan_of,
    rising,
    settings_with,
    struck,
)
from tests.engine.judge import require_agreement, require_sound
from tests.engine.test_flattening import followed_to_its_end
from tests.engine.test_settling import settle
from tests.venues.market.markets import AAPL, real_path

BTC, ETH = "BTC/USD", "ETH/USD"
BOT = "crypto_core"
NIGHT = 1_460_768_400 * SECOND
"""2016-04-16 01:00 UTC, a Saturday, 18:00 in Los Angeles: two days of UTC and one of the account's
have begun.
"""
OPEN_AT, CLOSE_AT = NIGHT - 15 * MINUTE, NIGHT - 10 * MINUTE
"""A short session, so that there is less to play."""
SESSIONS = SessionTable(
    (
        ExchangeSession("2016-04-14", OPEN_AT - DAY, CLOSE_AT - DAY, False),
        ExchangeSession("2016-04-15", OPEN_AT, CLOSE_AT, False),
    )
)
WAVE = [*rising(20, step=0.1), *rising(20, from_price=102.0, step=-0.1)]
"""Up by the signal's threshold and to the target, and back."""


def market(*bars: Bar) -> MarketData:
    return MarketData(
        bars=tuple(sorted(bars, key=lambda bar: (bar.end_at, bar.symbol))),
        sessions=SESSIONS,
        symbols=tuple(sorted({bar.symbol for bar in bars})),
        origin="a test",
    )


def coins(*, waves: int = 2, symbols: tuple[str, ...] = (BTC, ETH)) -> list[Bar]:
    """Quiet until the night."""
    return [bar for symbol in symbols for bar in coin([100.0] * 15 + WAVE * waves, symbol)]


def coin(closes: list[float], symbol: str = BTC) -> tuple[Bar, ...]:
    return bars_of(closes, symbol, OPEN_AT)


def shares() -> tuple[Bar, ...]:
    return bars_of([100.0] * 5, start_at=OPEN_AT)


def world_of(data: MarketData, tmp_path: Path, **changes: object) -> World:
    settings = settings_with({f"cryptobot.{key}": value for key, value in changes.items()})
    return World(data, ledger_path=tmp_path / "ledger.db", settings=settings)


def played_out(world: World) -> Life:
    life = world.begin()
    life.run_out()
    return life


def submitted(world: World, symbol: str | None = None) -> list[Order]:
    orders = [each.order for each in world.asked(Submit)]
    return [each for each in orders if symbol in (None, each.symbol)]


def entries(world: World) -> list[Order]:
    return [each for each in submitted(world) if each.side is Side.BUY]


def test_one_bot_trades_all_its_pairs_at_night_in_the_day_that_the_account_is_in_i23_i43(
    tmp_path: Path,
) -> None:
    world = world_of(market(*shares(), *coins()), tmp_path)

    life = played_out(world)

    assert life.journal.events("halt_latched") == []
    decisions = [order.intent.decision for order in life.ledger.orders()]
    assert {(each.bot, each.session) for each in decisions} == {(BOT, "2016-04-15")}
    assert {each.symbol for each in decisions} == {BTC, ETH}
    assert all(at > CLOSE_AT for at in world.came_at(Submit))
    assert len(entries(world)) >= 4
    require_agreement(world)
    require_sound(world)


def test_a_flatten_at_night_is_of_the_day_that_the_account_is_in_i37_i38(tmp_path: Path) -> None:
    world = world_of(market(*shares(), *coins()), tmp_path)
    life = world.begin()
    life.run_to(NIGHT + 10 * MINUTE)
    held = life.positions

    life.flatten()
    phase = followed_to_its_end(life)

    assert (bool(held), phase, life.positions) == (True, "flat", {})
    decisions = [order.intent.decision for order in life.ledger.orders()]
    assert {each.session for each in decisions if each.role is Role.FLATTEN} == {"2016-04-15"}
    require_agreement(world)


def test_an_order_adopted_at_night_is_of_the_day_that_the_account_is_in_i37_i38() -> None:
    by_hand = Order(
        client_order_id="by-hand-1",
        symbol=BTC,
        side=Side.BUY,
        quantity=Decimal("0.5"),
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        limit_price=Decimal(90),
    )
    planted = struck(PlantOrder(order=by_hand), from_event=30)
    world = World(market(*shares(), *coin([100.0] * 60)), plan_of(planted))
    life = begun(world)
    life.run_to(NIGHT + 10 * MINUTE)

    settle(life, decision="adopt", bot=BOT)

    (adopted,) = life.ledger.orders()
    assert adopted.intent.decision.session == "2016-04-15"


def test_a_restart_just_after_the_open_knows_what_was_entered_just_before_it_i36_i38(
    tmp_path: Path,
) -> None:
    settings = settings_with({"guards.pace.max_notional_per_window_usd": Decimal(80)})
    data = market(*shares(), *bars_of([100.0] * 30, BTC, OPEN_AT - 20 * MINUTE))
    world = World(data, ledger_path=tmp_path / "ledger.db", settings=settings)
    denied: list[list[str]] = []
    for at, session in ((-5 * MINUTE, "2016-04-14"), (4 * MINUTE, "2016-04-15")):
        life = world.begin(with_bots=False)
        life.run_to(OPEN_AT + at)
        life.tell(paths.RISK_GUARDIAN, bought(session, at=life.now))
        life.run_for(1 * SECOND)
        denied.append(life.denials)
        life.die()
        world.pass_by(OPEN_AT + 1 * MINUTE)

    assert denied == [[], ["window_notional_is_within_limit"]]


def bought(session: str, *, at: int) -> OrderIntent:
    return OrderIntent(
        decision=DecisionKey(BOT, BTC, session, 500, Role.ENTRY),
        side=Side.BUY,
        quantity=Decimal("0.5"),
        reason="a test",
        decided_at=at,
        reference_price=Decimal(100),
        time_in_force=TimeInForce.GTC,
        protective_stop=Decimal(99),
    )


def test_at_the_open_the_accounts_day_begins_for_coins_as_well_and_they_count_anew_i37(
    tmp_path: Path,
) -> None:
    before = bars_of([100.0] * 11 + WAVE * 2, BTC, OPEN_AT - 21 * MINUTE)
    world = world_of(
        market(*shares(), *before),
        tmp_path,
        **{"risk.max_trades_per_day": 1},
    )

    life = played_out(world)

    bought = [order.intent.decision for order in life.ledger.orders()]
    assert [each.session for each in bought if not each.role.reduces] == [
        "2016-04-14",
        "2016-04-15",
    ]
    today = [each for each in bought if each.session == "2016-04-15"]
    assert life.view(paths.RISK_GUARDIAN)["orders_today"] == len(today) < len(bought)


def test_one_that_is_off_or_whose_pairs_the_market_does_not_have_is_not_there(
    tmp_path: Path,
) -> None:
    off = world_of(market(*shares(), *coins()), tmp_path / "off", enabled=False)
    other = world_of(market(*shares(), *coins()), tmp_path / "other", pairs=("SOL/USD",))

    for world in (off, other):
        life = played_out(world)
        assert f"/hydra/bots/{BOT}" not in set(life.runtime.cells)
        assert submitted(world) == []


@pytest.mark.parametrize(
    ("limit", "value", "most"),
    [("risk.max_trades_per_day", 3, 3), ("risk.max_trades_per_day", 1, 1)],
)
def test_the_limits_count_over_all_pairs_together(
    tmp_path: Path, limit: str, value: int, most: int
) -> None:
    world = world_of(market(*shares(), *coins(waves=4)), tmp_path, **{limit: value})

    played_out(world)

    assert len(entries(world)) == most


def test_no_more_positions_at_once_than_allowed_whatever_the_pair(tmp_path: Path) -> None:
    world = world_of(
        market(*shares(), *coins(waves=1)), tmp_path, **{"risk.max_concurrent_positions": 1}
    )
    life = world.begin()
    held: set[int] = set()
    while life.now < NIGHT + 40 * MINUTE:
        life.run_for(MINUTE)
        held.add(len(world.positions))

    assert held == {0, 1}
    (first,) = {each.symbol for each in entries(world)[:1]}
    assert first == BTC  # its bar came first


def test_a_position_that_is_closed_makes_room_at_once_i30(tmp_path: Path) -> None:
    later = coin([100.0] * 35 + rising(20, step=0.1), ETH)
    world = world_of(
        market(*shares(), *coins(waves=1, symbols=(BTC,)), *later),
        tmp_path,
        **{"risk.max_concurrent_positions": 1},
    )

    played_out(world)

    assert [each.symbol for each in entries(world)] == [BTC, ETH]


@pytest.mark.parametrize(
    ("order_type", "tif", "is_notional"),
    [
        (OrderType.LIMIT, TimeInForce.GTC, True),
        (OrderType.LIMIT, TimeInForce.IOC, False),
        (OrderType.MARKET, TimeInForce.GTC, False),
        (OrderType.MARKET, TimeInForce.IOC, True),
    ],
)
def test_an_entry_goes_as_it_is_configured_and_an_exit_at_the_market_until_it_is_filled(
    tmp_path: Path, order_type: OrderType, tif: TimeInForce, is_notional: bool
) -> None:
    world = world_of(
        market(*shares(), *coins(symbols=(BTC,))),
        tmp_path,
        **{
            "execution.order_type": order_type,
            "execution.tif": tif,
            "execution.use_notional": is_notional,
            "execution.default_notional_usd": Decimal(200),
        },
    )

    life = played_out(world)

    bought, sold = (
        [each for each in submitted(world) if each.side is side] for side in (Side.BUY, Side.SELL)
    )
    assert {(each.order_type, each.time_in_force) for each in bought} == {(order_type, tif)}
    assert {(each.order_type, each.time_in_force, each.limit_price) for each in sold} == {
        (OrderType.MARKET, TimeInForce.GTC, None)
    }
    seen = life.ledger.orders()[0].intent.reference_price
    assert seen is not None
    costs = multiply(bought[0].quantity, seen)
    assert (costs < Decimal("199.9")) is is_notional
    assert costs <= 200
    require_agreement(world)


def test_an_entry_that_nobody_takes_is_canceled_when_its_signal_is_history_i30(
    tmp_path: Path,
) -> None:
    """The market runs away at once, and comes back when nobody wants it any more."""
    away = bars_of([102.0] * 4, BTC, NIGHT)
    back = bars_of([100.0] * 10, BTC, NIGHT + 4 * MINUTE)
    bars = [*coin([100.0] * 14 + [100.25]), *away, *back]
    world = world_of(market(*shares(), *bars), tmp_path)

    life = played_out(world)

    first, *_ = submitted(world)
    assert world.asked(Cancel)[0].client_order_id == first.client_order_id
    assert world.came_at(Cancel)[0] - world.came_at(Submit)[0] == 2 * MINUTE
    assert life.status_of(first.client_order_id) == "canceled"
    assert first.client_order_id not in {fill.client_order_id for fill in world.fills}


def test_what_is_filled_of_an_entry_is_kept_and_closed_whole_after_the_rest_is_out_i23_i30(
    tmp_path: Path,
) -> None:
    """A bar offers half a coin of the market's, so an entry of three takes several."""
    falling = rising(20, from_price=100.55, step=-0.5)
    thin = [
        Bar(bar.symbol, bar.start_at, bar.end_at, bar.open, bar.high, bar.low, bar.close, 0.2)
        for bar in coin([100.0] * 15 + rising(12, step=0.05) + falling)
    ]
    data = market(*shares(), *thin)
    world = world_of(data, tmp_path, **{"execution.default_notional_usd": Decimal(300)})
    terms = VenueTerms(max_participation=Decimal(1))
    world.exchange = SimulatedExchange(terms, world.log)

    life = played_out(world)

    (entry, *_), exits = (
        entries(world),
        [each for each in submitted(world) if each.side is Side.SELL],
    )
    assert life.status_of(entry.client_order_id) == "canceled"
    bought = [fill for fill in world.fills if fill.client_order_id == entry.client_order_id]
    assert 0 < sum(fill.quantity for fill in bought) < entry.quantity
    assert len(exits) >= 1
    assert world.positions == {}
    assert life.journal.events("halt_latched") == []
    require_agreement(world)
    require_sound(world)


@pytest.mark.parametrize("minutes", [3, 4, 12])
def test_killed_at_any_minute_it_goes_on_with_what_it_had_and_enters_nothing_twice_i15_i38(
    tmp_path: Path, minutes: int
) -> None:
    one = coins(waves=1, symbols=(BTC,))
    once = {"risk.max_trades_per_day": 1}  # it starts without the bars of before, as a new one
    straight = world_of(market(*shares(), *one), tmp_path / "straight", **once)
    straight_life = played_out(straight)
    broken = world_of(market(*shares(), *one), tmp_path / "broken", **once)
    life = broken.begin()
    life.run_to(NIGHT + minutes * MINUTE)
    life.die()

    again = played_out(broken)

    assert broken.submitted == straight.submitted
    assert broken.fills == straight.fills
    assert again.positions == straight_life.positions == {}
    assert again.state is TradingState.ACTIVE
    require_agreement(broken)


def test_it_enters_only_in_its_window_and_leaves_at_its_end_i43(tmp_path: Path) -> None:
    """18:00 in Los Angeles is when the waves begin."""
    during = {"session.trade_start": time(18), "session.trade_end": time(19)}
    world = world_of(
        market(*shares(), *coins(waves=3, symbols=(BTC,))),
        tmp_path,
        **during,
        **{"session.manage_until": time(19, 1), "risk.max_trades_per_day": 50},
    )

    played_out(world)

    bought = world.came_at(Submit, leg="-e")
    assert bought
    assert all(NIGHT <= at < NIGHT + HOUR for at in bought)
    assert world.positions == {}


def test_it_follows_the_strategy_that_is_named(tmp_path: Path) -> None:
    quiet = {"signal.mode": "placeholder_crypto_momo_v1", "signal.params": {"threshold_pct": 90.0}}
    cross = {
        "signal.mode": "moving_average_cross",
        "signal.params": {"fast_bars": 2, "slow_bars": 5},
    }
    counts = []
    for number, changes in enumerate((quiet, cross)):
        world = world_of(market(*shares(), *coins()), tmp_path / str(number), **changes)
        played_out(world)
        counts.append(len(entries(world)))

    assert counts[0] == 0 < counts[1]


def test_at_night_a_coin_that_falls_silent_stops_entries_and_a_share_that_is_closed_does_not_i45(
    tmp_path: Path,
) -> None:
    silent = [bar for bar in coins() if bar.symbol == BTC or bar.end_at <= NIGHT]
    world = world_of(market(*shares(), *silent), tmp_path)
    life = world.begin()
    life.run_to(NIGHT)
    before = life.state

    life.run_for(4 * MINUTE)

    assert (before, life.state) == (TradingState.ACTIVE, TradingState.HALTED)
    (cause,) = life.report.causes
    assert "ETH/USD: the newest bar is" in cause.detail


def test_what_it_holds_is_covered_at_every_minute_by_its_own_guard_i30(tmp_path: Path) -> None:
    """Coins have no stop that rests at the venue; the exit bot sees that they are looked after."""
    world = world_of(market(*shares(), *coins(waves=1)), tmp_path)
    life = world.begin()
    life.run_to(NIGHT)
    covered: list[tuple[bool, object]] = []
    while life.now < NIGHT + 30 * MINUTE:
        life.run_for(MINUTE)
        covered.append((bool(world.positions), life.view(paths.EXIT_BOT)["coverage_pct"]))

    assert {held for held, _ in covered} == {True, False}
    assert {pct for _, pct in covered} == {"100"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_real_coins_beside_a_real_share_trade_day_and_night_and_agree_to_the_unit_i23_i43_i61(
    tmp_path: Path,
) -> None:
    """AAPL of 2016, BTC and ETH of 2024 moved to its second week: Monday to Wednesday."""
    entries_of = [
        ("AAPL", AAPL, 0),
        (BTC, "crypto_1m/BTCUSDT_binance_1m_2024-01-01_2024-01-21.csv.gz", -402),
        (ETH, "crypto_1m/ETHUSDT_binance_1m_2024-01-01_2024-01-21.csv.gz", -402),
    ]
    lines = ["bars:"]
    for symbol, file, weeks in entries_of:
        path = real_path(file)
        (tmp_path / path.name).symlink_to(path)
        lines += [f"  - file: {path.name}", f"    symbol: {symbol}", f"    shift_weeks: {weeks}"]
    (tmp_path / "week.yaml").write_text("\n".join(lines) + "\n")
    whole = from_path(tmp_path / "week.yaml", tmp_path / "calendar")
    monday = next(bar.start_at for bar in whole.bars if bar.symbol == BTC)
    days = tuple(bar for bar in whole.bars if monday <= bar.start_at < monday + 3 * DAY)
    world = world_of(structs.replace(whole, bars=days), tmp_path)

    life = played_out(world)

    assert life.journal.events("halt_latched") == []
    decisions = [order.intent.decision for order in life.ledger.orders()]
    coins_bought = [each for each in decisions if each.bot == BOT and not each.role.reduces]
    assert {each.symbol for each in coins_bought} == {BTC, ETH}
    sessions = Counter(each.session for each in coins_bought)
    assert list(sessions) == ["2016-04-15", "2016-04-18", "2016-04-19", "2016-04-20"]
    assert max(sessions.values()) <= 6
    at_night = [at for at in world.came_at(Submit) if whole.sessions.at(at) is None]
    assert len(at_night) > 2
    assert any(each.symbol == "AAPL" for each in decisions)
    assert life.ledger.fees()
    require_agreement(world)
    require_sound(world)


MUCH = Decimal(4_500)
"""Of a coin at 100 USD: the venue takes no order of more than 2,000 of it."""


def holding_much(tmp_path: Path) -> tuple[World, Life]:
    """An operator has given all of it to the crypto bot."""
    drift = struck(DriftPosition(symbol=BTC, quantity=MUCH), from_event=8)
    data = market(*shares(), *coin([100.0] * 60))
    world = World(data, plan_of(drift), ledger_path=tmp_path / "ledger.db")
    life = world.begin(with_bots=False)
    life.run_to(OPEN_AT + 10 * MINUTE + 5 * SECOND)
    settled = settle(life, decision="assign", bot=BOT, price=Decimal(100))
    assert isinstance(settled, DifferenceSettled)
    assert life.positions == {f"{BOT} {BTC}": MUCH}
    return world, life


@pytest.mark.parametrize("after_s", [None, 0, 1, 2, 3, 4, 5, 6, 8, 10])
def test_a_coin_that_one_order_cannot_close_is_closed_in_parts_also_after_a_kill_i16_i59(
    tmp_path: Path, after_s: int | None
) -> None:
    world, life = holding_much(tmp_path)

    life.flatten()
    if after_s is not None:
        life.run_closely(after_s * SECOND)
        life.die()
        life = world.begin(with_bots=False)
    phase = followed_to_its_end(life)

    assert (phase, world.positions, life.positions) == ("flat", {}, {})
    orders = life.ledger.orders()
    assert max(each.intent.quantity for each in orders) == Decimal(1_500)
    assert total(each.state.filled_quantity for each in orders) == MUCH
    require_sound(world)
    require_agreement(world)
