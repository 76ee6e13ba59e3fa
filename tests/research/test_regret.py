"""What refused entries would have come to: what the engine itself does, trade by trade."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType

import pytest
from msgspec import structs

from hydra.ops.artefacts.entries import Denied
from hydra.ops.config.looking import SHIPPED
from hydra.plugins import fault_in_plugin, fault_in_signal
from hydra.research.closed_trades import traded
from hydra.research.forgone import AT_THE_END, Forgone, Management, forgone
from hydra.research.overrides import Configurable
from hydra.research.regret import (
    Day,
    Entries,
    GuardRegret,
    Place,
    entries_of,
    managements,
    regret_of,
    table_of,
    trades_csv,
)
from hydra.research.replay_run import REGRET, ReplayPlan, run_replay
from hydra.research.replaying import ReplayTask
from hydra.research.scratch_replay import scratch_replay
from hydra.settings import Settings, VenueName
from hydra.settings.strategy_mode import as_selected
from hydra.store.journal_line import moment_of
from hydra.trading.bars import Bar
from hydra.trading.durations import MINUTE
from hydra.trading.exit_rules import ExitRules
from hydra.trading.instruments import is_crypto
from hydra.trading.orders import DecisionKey, OrderType, Role, Side, TimeInForce
from hydra.trading.sessions import ROUND_THE_CLOCK, Window
from hydra.trading.situation import US_EQUITY_PRICE_STEPS
from hydra.venues.simulated.generated import generated_session
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.terms import VenueTerms
from messages.orders import OrderIntent
from tests.engine.scenery import CLOSE_AT, OPEN_AT, bars_of, market_of, two_days
from tests.research.gated_sessions import as_data
from tests.thinned import thinned

D = Decimal
BUSY = (
    "guards.pace.max_entries_per_day=500",
    "guards.pace.max_round_trips_per_bot_per_day=500",
    "safety.global_cooldown_minutes=1",
    "exitbot.cooloff_minutes=1",
    "momentum_bots.mom_AAPL.signal.mode=moving_average_cross",
    "momentum_bots.mom_AAPL.signal.params.fast_bars=3",
    "momentum_bots.mom_AAPL.signal.params.slow_bars=8",
    "momentum_bots.mom_AAPL.session.trade_end='12:00'",
    "momentum_bots.mom_AAPL.risk.max_trades_per_day=50",
    "momentum_bots.mom_AAPL_cross.signal.params.fast_bars=4",
    "momentum_bots.mom_AAPL_cross.signal.params.slow_bars=12",
    "momentum_bots.mom_AAPL_cross.session.trade_end='12:00'",
    "momentum_bots.mom_AAPL_cross.risk.max_trades_per_day=50",
    "cryptobot.signal.mode=moving_average_cross",
    "cryptobot.signal.params.fast_bars=4",
    "cryptobot.signal.params.slow_bars=11",
    "cryptobot.risk.max_trades_per_day=50",
)
WAYS = {
    "as shipped": (),
    "tight": (
        "momentum_bots.mom_AAPL.exits.stop_loss_pct=0.1",
        "momentum_bots.mom_AAPL.exits.take_profit_pct=0.1",
        "momentum_bots.mom_AAPL_cross.exits.time_stop_minutes=4",
        "cryptobot.exits.stop_loss_pct=0.15",
        "cryptobot.exits.take_profit_pct=0.2",
    ),
    "beyond the collar": (
        "guards.order.price_collar_pct=0.3",
        "momentum_bots.mom_AAPL.exits.stop_loss_pct=0.5",
        "momentum_bots.mom_AAPL.exits.trailing_stop_pct=0.25",
        "momentum_bots.mom_AAPL_cross.exits.trailing_stop_pct=0.35",
    ),
    "trailing": (
        "momentum_bots.mom_AAPL.exits.trailing_stop_pct=0.1",
        "momentum_bots.mom_AAPL_cross.exits.trailing_stop_pct=0.2",
        "momentum_bots.mom_AAPL_cross.execution.protective_order=engine",
        "cryptobot.execution.order_type=market",
    ),
}
SLIPPED = VenueTerms(slippage_bps=D(3))


@cache
def shipped(*overrides: str) -> Settings:
    """The shipped configuration with these in it."""
    configurable = Configurable.read(
        SHIPPED,
        venue=VenueName.EMBEDDED,
        signal_check=fault_in_signal,
        plugin_check=fault_in_plugin,
    )
    (choice,) = configurable.grid(overrides).choices
    return configurable.settings(choice)


def busy(*overrides: str) -> Settings:
    """The shipped configuration with more trades."""
    return shipped(*BUSY, *overrides)


def generated(seed: int) -> MarketData:
    return market_of(generated_session(("AAPL", "BTC/USD"), OPEN_AT, CLOSE_AT, seed))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", thinned(range(3), 3))
def test_what_was_bought_came_to_what_is_thought_of_it(seed: int, way: str) -> None:
    task = ReplayTask(settings=busy(*WAYS[way]), data=generated(seed), terms=SLIPPED)
    played = scratch_replay(task)
    trades = traded(played.replayed.fills, played.replayed.summary.trades).trades
    intents = {each.state.order.client_order_id: each.intent for each in played.orders}
    judged_at = {
        line["client_order_id"]: moment_of(line["ts"])
        for line in played.story
        if line["event"] == "order_approved"
    }
    how = managements(task, {(each.trade.bot, each.trade.symbol) for each in trades})

    thought = []
    for each in trades:
        bars = [bar for bar in task.data.bars if bar.symbol == each.trade.symbol]
        at, place = judged_at[each.entry_order], (each.trade.bot, each.trade.symbol)
        found = forgone(intents[each.entry_order], at, bars, how[place], SLIPPED)
        assert found is not None
        # Of a coin the venue keeps a part, which is asked for below.
        made = found.made if each.trade.symbol == "AAPL" else each.trade.realised
        thought.append(structs.replace(found, made=made))

    assert len(trades) > 10
    assert thought == [
        Forgone(
            quantity=intents[each.entry_order].quantity,
            opened_at=each.trade.opened_at,
            entry_price=each.trade.entry_price,
            closed_at=each.trade.closed_at,
            exit_price=each.trade.exit_price,
            exit_reason=each.trade.exit_reason,
            made=each.trade.realised,
        )
        for each in trades
    ]


def test_of_a_coin_what_the_venue_keeps_is_counted() -> None:
    bars = [minute(60_000.0, 0), minute(60_000.0, 1), minute(61_200.0, 2), minute(61_200.0, 3)]

    found = forgone(
        wish(symbol="BTC/USD", quantity="0.01"),
        OPEN_AT,
        bars,
        management(quantity_step=D("0.000000001"), price_steps=()),
        VenueTerms(crypto_fee_bps=D(25)),
    )

    # Of 0.01 bought for 600 USD a quarter of a percent is kept, of the 610.47 USD as much again.
    assert found is not None
    assert (found.exit_reason, found.made) == ("take_profit", D("8.943825"))


def minute(price: float, number: int, *, low: float | None = None, symbol: str = "BTC/USD") -> Bar:
    start = OPEN_AT + number * MINUTE
    lowest = price if low is None else low
    return Bar(symbol, start, start + MINUTE, price, price, lowest, price, 1000.0)


def wish(
    symbol: str = "AAPL",
    *,
    bot: str = "mom_AAPL",
    quantity: str = "9",
    side: Side = Side.BUY,
    role: Role = Role.ENTRY,
    limit: str | None = None,
    stop: str | None = None,
    signal: int = 1,
) -> OrderIntent:
    return OrderIntent(
        decision=DecisionKey(bot, symbol, "2016-04-15", signal, role),
        side=side,
        quantity=D(quantity),
        reason="a test",
        decided_at=OPEN_AT,
        reference_price=D(100),
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        time_in_force=TimeInForce.GTC if is_crypto(symbol) else TimeInForce.DAY,
        limit_price=None if limit is None else D(limit),
        protective_stop=None if stop is None else D(stop),
    )


def management(**others: object) -> Management:
    shares = Management(
        exits=ExitRules(D(1), D(2), 30 * MINUTE),
        manage_window=Window.parse("09:30", "15:55", "America/New_York"),
        hours=ROUND_THE_CLOCK,
        price_steps=US_EQUITY_PRICE_STEPS,
    )
    return structs.replace(shares, **others)


def test_a_limit_that_the_market_leaves_behind_buys_nothing() -> None:
    bars = [minute(100.0 + number, number, symbol="AAPL") for number in range(10)]
    waits = management(entry_lasts=2 * MINUTE)

    assert forgone(wish(limit="99"), OPEN_AT, bars, waits, VenueTerms()) is None
    fallen = [*bars[:2], minute(98.0, 2, symbol="AAPL"), *bars[3:]]
    assert forgone(wish(limit="99"), OPEN_AT, fallen, waits, VenueTerms()) is None
    found = forgone(wish(limit="99"), OPEN_AT, fallen, management(), VenueTerms())
    assert found is not None and found.entry_price == 98


def test_an_entry_that_ends_at_once_sees_one_open_and_no_more() -> None:
    fallen = [minute(100.0 + number, number) for number in range(2)]
    fallen.append(minute(98.0, 2))
    coins = management(price_steps=(), entry_lasts=4 * MINUTE)
    wished = wish("BTC/USD", quantity="1", limit="99")
    at_once = structs.replace(wished, time_in_force=TimeInForce.IOC)

    assert forgone(at_once, OPEN_AT, fallen, coins, VenueTerms()) is None
    assert forgone(at_once, OPEN_AT + MINUTE, fallen[2:], coins, VenueTerms()) is not None
    works_on = structs.replace(wished, time_in_force=TimeInForce.GTC)
    assert forgone(works_on, OPEN_AT, fallen, coins, VenueTerms()) is not None


def test_what_is_held_when_the_bars_are_over_counts_at_the_last_price() -> None:
    bars = bars_of([100.0, 100.0, 100.5])

    assert forgone(wish(), OPEN_AT, bars, management(), VenueTerms()) == Forgone(
        quantity=D(9),
        opened_at=OPEN_AT,
        entry_price=D("100.00"),
        closed_at=None,
        exit_price=D("100.5"),
        exit_reason=AT_THE_END,
        made=D("4.5"),
    )


def test_the_stop_that_a_signal_brought_holds_where_the_bot_keeps_it() -> None:
    bars = bars_of([100.0, 99.6, 99.6, 99.6])
    keeps = management(keeps_stop=True, price_steps=())

    kept = forgone(wish(stop="99.7"), OPEN_AT, bars, keeps, VenueTerms())
    not_kept = forgone(wish(stop="99.7"), OPEN_AT, bars, management(), VenueTerms())

    assert kept is not None and kept.exit_reason == "signal_stop"
    assert not_kept is not None and not_kept.exit_reason == AT_THE_END


def test_bars_of_before_it_was_judged_tell_nothing() -> None:
    later = bars_of([100.0, 100.4, 100.4, 103.0, 103.0], start_at=OPEN_AT + 5 * MINUTE)
    crash = bars_of([50.0] * 5)

    found = forgone(wish(), OPEN_AT + 5 * MINUTE, [*crash, *later], management(), VenueTerms())

    assert found == forgone(wish(), OPEN_AT + 5 * MINUTE, later, management(), VenueTerms())
    assert found is not None and found.exit_reason == "take_profit"


def test_what_comes_within_a_bar_has_no_stop_before_its_end() -> None:
    bars = [minute(100.0, 0, low=98.5, symbol="AAPL"), minute(99.5, 1, symbol="AAPL")]

    within = forgone(wish(), OPEN_AT + MINUTE // 2, bars, management(), VenueTerms())
    before = forgone(wish(), OPEN_AT, bars, management(), VenueTerms())

    assert within is not None and before is not None
    assert (within.closed_at, within.exit_price) == (OPEN_AT + MINUTE, D("99.5"))
    assert (before.closed_at, before.exit_price) == (OPEN_AT + MINUTE, D(99))


def test_a_stop_that_the_price_collar_would_deny_does_not_rest() -> None:
    first = minute(100.0, 0, symbol="AAPL")
    bars = [first, minute(100.0, 1, low=98.5, symbol="AAPL"), minute(99.8, 2, symbol="AAPL")]
    denied = management(price_collar_pct=D("0.9"))

    rests = forgone(wish(), OPEN_AT, bars, management(price_collar_pct=D(1)), VenueTerms())
    does_not = forgone(wish(), OPEN_AT, bars, denied, VenueTerms())

    assert rests is not None and (rests.exit_reason, rests.exit_price) == ("stop_loss", D(99))
    assert does_not is not None
    assert (does_not.exit_reason, does_not.exit_price) == ("stop_loss", D("99.8"))


def test_an_entry_for_the_day_is_over_with_its_day() -> None:
    data = two_days([100.0] * 390, [101.0] * 10)
    late = CLOSE_AT - MINUTE // 2
    bars = [bar for bar in data.bars if bar.end_at != CLOSE_AT]

    by_day = management(hours=data.sessions)
    assert forgone(wish(), late, bars, by_day, VenueTerms()) is None
    assert forgone(wish(), late - MINUTE, bars, by_day, VenueTerms()) is not None


def denied(check: str, intent: OrderIntent, at: int = OPEN_AT) -> Denied:
    """Decided when the last bar was over, and refused at once or a little later."""
    decided_at = at - (at - OPEN_AT) % MINUTE
    return Denied(structs.replace(intent, decided_at=decided_at), check, f"{check} says no", at)


def told(
    refused: Sequence[Denied] = (),
    executed: Mapping[Place, Sequence[int]] = MappingProxyType({}),
    approved: Mapping[Day, Sequence[int]] = MappingProxyType({}),
) -> Entries:
    return Entries(refused=tuple(refused), executed=executed, approved=approved)


def test_the_same_wish_again_is_no_other_trade_and_the_guard_that_came_first_has_it() -> None:
    first = OPEN_AT + 10 * MINUTE
    closes = [100.0, 100.0, 100.0, 103.0, 103.0, 103.0, 103.0, 106.0, 109.0, 109.0]
    task = ReplayTask(settings=busy(), data=market_of(bars_of(closes, start_at=first)))
    refused = [
        denied("heat", wish(), first),
        denied("pace", wish(signal=2), first + MINUTE),
        denied("heat", wish(signal=3), first + 2 * MINUTE),
        denied("heat", wish(signal=4, bot="mom_AAPL_cross"), first + 2 * MINUTE),
        denied("pace", wish(signal=5), first + 6 * MINUTE),
    ]

    found = regret_of(told(refused), task)

    assert [(each.check, each.bot, each.at) for each in found.trades] == [
        ("heat", "mom_AAPL", first),
        ("heat", "mom_AAPL_cross", first + 2 * MINUTE),
        ("pace", "mom_AAPL", first + 6 * MINUTE),
    ]
    made = [each.trade.made for each in found.trades]
    assert found.guards == (
        GuardRegret(
            check="heat",
            refusals=3,
            trades=2,
            won=2,
            lost=0,
            later=0,
            untold=0,
            made=made[0] + made[1],
        ),
        GuardRegret(
            check="pace", refusals=2, trades=1, won=1, lost=0, later=0, untold=0, made=made[2]
        ),
    )


@pytest.mark.parametrize("late", [0, MINUTE // 60])
def test_what_is_asked_for_as_the_trade_of_an_earlier_refusal_ends_is_no_other_trade(
    late: int,
) -> None:
    first = OPEN_AT + 10 * MINUTE
    closes = [100.0, 100.0, 103.0, 103.0, 103.0, 106.0, 106.0]
    task = ReplayTask(settings=busy(), data=market_of(bars_of(closes, start_at=first)))
    again = first + 3 * MINUTE + late
    refused = [denied("heat", wish(), first), denied("heat", wish(signal=2), again)]

    found = regret_of(told(refused), task)

    # Who has just decided to leave does not enter in the same moment.
    (trade,) = found.trades
    assert (trade.at, trade.trade.closed_at) == (first, first + 3 * MINUTE)


@pytest.mark.parametrize(
    ("minutes", "trades", "later", "made"),
    [
        pytest.param((-1,), 1, 0, "27", id="an earlier one is another"),
        pytest.param((0,), 0, 1, "0", id="at once"),
        pytest.param((2,), 0, 1, "0", id="while it would have lasted"),
        pytest.param((3,), 1, 0, "27", id="one after it is another"),
        pytest.param((-1, 3, 2), 0, 1, "0", id="one of them is enough"),
    ],
)
def test_a_wish_that_its_bot_had_later_was_put_off_and_not_refused(
    minutes: tuple[int, ...], trades: int, later: int, made: str
) -> None:
    first = OPEN_AT + 10 * MINUTE
    closes = [100.0, 100.0, 103.0, 103.0, 103.0, 103.0]
    task = ReplayTask(settings=busy(), data=market_of(bars_of(closes, start_at=first)))
    place = ("mom_AAPL", "AAPL")
    executed = {place: tuple(first + each * MINUTE for each in minutes)}

    found = regret_of(told([denied("pace", wish(), first)], executed), task)

    won, usd = trades, D(made)
    assert found.guards == (
        GuardRegret(
            check="pace",
            refusals=1,
            trades=trades,
            won=won,
            lost=0,
            later=later,
            untold=0,
            made=usd,
        ),
    )
    others = {("mom_AAPL_cross", "AAPL"): executed[place], ("mom_AAPL", "MSFT"): executed[place]}
    assert len(regret_of(told([denied("pace", wish(), first)], others), task).trades) == 1


def test_what_a_guard_let_pass_two_minutes_later_it_has_neither_cost_nor_saved(
    tmp_path: Path,
) -> None:
    one_a_minute = busy(
        "risk.max_orders_per_minute=1",
        "modes.selected=primary",
        "modes.primary.bar_minutes=4",
        "modes.primary.entry_minutes=2",
        "modes.primary.max_trades_per_day=50",
        "momentum_bots.mom_AAPL.execution.protective_order=engine",
        "momentum_bots.mom_AAPL_cross.execution.protective_order=engine",
        "cryptobot.enabled=false",
    )
    plan = ReplayPlan(
        settings=as_selected(one_a_minute),
        data=as_data(generated(1)),
        terms=VenueTerms(),
        seed=0,
        label="regret",
        folder=tmp_path / "replay",
        with_sheet=False,
    )

    (guard,) = run_replay(plan).regret.guards

    assert guard == GuardRegret(
        check="entry_rate_is_within_limit",
        refusals=1,
        trades=0,
        won=0,
        lost=0,
        later=1,
        untold=0,
        made=D(0),
    )


@pytest.mark.parametrize(
    ("approved", "minutes"),
    [
        pytest.param({}, [0, 3], id="two and no third"),
        pytest.param({"2016-04-15": (-5,)}, [0], id="one was let in before"),
        pytest.param({"2016-04-15": (-5, -4)}, [], id="both were"),
        pytest.param({"2016-04-14": (-5, -4)}, [0, 3], id="on another day"),
        pytest.param({"2016-04-15": (4, 5)}, [0, 3], id="later ones it could not know of"),
    ],
)
def test_no_more_trades_are_thought_of_than_the_bot_may_make_in_a_day(
    approved: Mapping[str, Sequence[int]], minutes: Sequence[int]
) -> None:
    """Each price is 3 % over the last one: the trade of each refusal is soon over."""
    first = OPEN_AT + 10 * MINUTE
    closes = [100.0 * 1.03**number for number in range(12)]
    settings = shipped("momentum_bots.mom_AAPL.risk.max_trades_per_day=2")
    task = ReplayTask(settings=settings, data=market_of(bars_of(closes, start_at=first)))
    refused = [denied("heat", wish(signal=at), first + at * MINUTE) for at in (0, 3, 6)]
    days = {
        ("mom_AAPL", day): tuple(first + at * MINUTE for at in each)
        for day, each in approved.items()
    }

    found = regret_of(told(refused, approved=days), task)

    assert [(each.at - first) // MINUTE for each in found.trades] == minutes
    (guard,) = found.guards
    assert (guard.refusals, guard.trades, guard.untold) == (3, len(minutes), 0)


def test_no_more_pairs_are_thought_to_be_held_than_the_bot_may_hold_at_once() -> None:
    pairs = ("BTC/USD", "ETH/USD")
    bars = tuple(minute(100.0, number, symbol=pair) for number in range(5) for pair in pairs)
    one = busy("cryptobot.risk.max_concurrent_positions=1")
    refused = [denied("heat", wish(pair, bot="crypto_core", quantity="1")) for pair in pairs]

    both = regret_of(told(refused), ReplayTask(settings=busy(), data=market_of(bars)))
    first = regret_of(told(refused), ReplayTask(settings=one, data=market_of(bars)))

    assert [each.symbol for each in both.trades] == ["BTC/USD", "ETH/USD"]
    assert [each.symbol for each in first.trades] == ["BTC/USD"]


def test_what_nobody_can_say_is_counted_as_untold() -> None:
    task = ReplayTask(settings=busy(), data=market_of(bars_of([100.0] * 5)))
    refused = [
        denied("heat", wish("SPY160513C00100000", bot="opt_core")),
        denied("heat", wish("MSFT", bot="mom_AAPL")),
        denied("heat", wish(bot="somebody_s")),
        denied("heat", wish(side=Side.SELL)),
    ]

    found = regret_of(told(refused), task)

    assert found.trades == ()
    assert found.guards == (
        GuardRegret(
            check="heat", refusals=4, trades=0, won=0, lost=0, later=0, untold=4, made=D(0)
        ),
    )


def test_of_a_time_without_bars_nobody_can_say_either() -> None:
    first = OPEN_AT + 10 * MINUTE
    closes = [100.0, 100.0, 103.0, 103.0, 103.0, 103.0]
    task = ReplayTask(settings=busy(), data=market_of(bars_of(closes, start_at=first)))
    refused = [
        denied("heat", wish(), first - MINUTE),
        denied("heat", wish(), first),
        denied("heat", wish(), first + 6 * MINUTE),
    ]

    found = regret_of(told(refused), task)

    assert [each.at for each in found.trades] == [first]
    (guard,) = found.guards
    assert (guard.refusals, guard.trades, guard.untold) == (3, 1, 2)


def test_a_replay_leaves_what_its_guards_refused_and_shows_it(tmp_path: Path) -> None:
    settings = busy("guards.exposure.max_symbol_usd=900")
    data = as_data(generated(1))
    plan = ReplayPlan(
        settings=settings,
        data=data,
        terms=VenueTerms(),
        seed=0,
        label="regret",
        folder=tmp_path / "replay",
        with_sheet=False,
    )

    regret = run_replay(plan).regret

    assert (plan.folder / REGRET).read_bytes() == trades_csv(regret)
    (guard, *_) = regret.guards
    assert guard.check == "symbol_exposure_is_within_limit"
    assert guard.refusals >= guard.trades >= guard.won + guard.lost > 5
    assert sum(each.trades for each in regret.guards) == len(regret.trades)
    lines = table_of(regret)
    assert lines[0].split()[:3] == ["GUARD", "REFUSED", "TRADES"]
    assert lines[1].split()[:3] == [guard.check, str(guard.refusals), str(guard.trades)]
    assert lines[1].endswith("cost" if guard.made > 0 else "saved")


def test_of_a_story_refused_and_executed_entries_count() -> None:
    def line(event: str, role: Role, **others: object) -> dict[str, object]:
        decision = {
            "bot": "mom_AAPL",
            "symbol": "AAPL",
            "session": "2016-04-15",
            "signal": 1,
            "role": role.value,
        }
        intent = {
            "decision": decision,
            "side": "buy",
            "quantity": "9",
            "reason": "a test",
            "decided_at": OPEN_AT,
            "reference_price": "100",
        }
        ts = "2016-04-15T13:30:00.000000000Z"
        told = {"check": "heat", "reason": "hot", "intent": intent, "decision": decision}
        return {"ts": ts, "event": event, **told, **others}

    def report(role: Role, kind: str, at: int) -> dict[str, object]:
        fill = {
            "execution_id": f"x-{at}",
            "client_order_id": "hy1-20160415-d84ced6b3f0a3550-e",
            "symbol": "AAPL",
            "side": "buy",
            "quantity": "9",
            "price": "100",
            "at": at,
        }
        return line("report_stored", role, report=kind, content={"type": kind, "fill": fill})

    story = [
        line("order_denied", Role.EXIT),
        line("order_approved", Role.EXIT),
        line("order_approved", Role.ENTRY),
        line("order_denied", Role.ENTRY),
        line("report_stored", Role.ENTRY, report="OrderAccepted", content={"at": 1}),
        report(Role.ENTRY, "OrderFilled", OPEN_AT + 2),
        report(Role.EXIT, "OrderFilled", OPEN_AT + 3),
        report(Role.ENTRY, "OrderFilled", OPEN_AT + 4),
        line("report_stored", Role.ENTRY, report="OrderFilled", content={}, decision=None),
    ]

    found = entries_of(story)

    (refused,) = found.refused
    assert (refused.check, refused.reason, refused.at) == ("heat", "hot", OPEN_AT)
    assert found.executed == {("mom_AAPL", "AAPL"): [OPEN_AT + 2, OPEN_AT + 4]}
    assert found.approved == {("mom_AAPL", "2016-04-15"): [OPEN_AT]}


def test_where_nothing_was_refused_that_is_said() -> None:
    task = ReplayTask(settings=busy(), data=market_of(bars_of([100.0] * 5)))

    assert table_of(regret_of(told(), task)) == ["the guardian refused no entry"]
