"""The options bot: what it buys on which signal, when it does not, and how it gets out again.

Key of `optionsbot` -> the test that shows its effect:

- enabled, tickers: test_only_an_enabled_bot_on_what_the_market_has_gets_a_plan
- bot_id: test_it_trades_under_its_name
- session.trade_start, .trade_end: test_it_enters_only_inside_its_trade_window
- session.manage_until, exits.*: test_each_exit_closes_by_its_own_key
- risk.max_trades_per_day: test_entries_of_the_day_are_counted_over_all_underlyings
- risk.max_concurrent_positions: test_positions_are_counted_over_all_underlyings
- chain_rules.*: test_each_chain_rule_keeps_a_contract_out
- execution.default_premium_usd: test_an_entry_pays_no_more_than_its_premium
- execution.cancel_unfilled_seconds: test_an_entry_that_is_not_filled_in_time_is_canceled
- signal.mode, .params: test_the_strategy_and_its_parameters_decide_when
"""

from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from hydra.actor import MILLISECOND, MINUTE, SECOND
from hydra.settings.bot_parts import Signal as SignalSettings
from hydra.terms import guardian_terms, options_plan, plans_of
from hydra.trading.fees import NO_FEES
from hydra.trading.hit_stops import HitStop, text_of
from hydra.trading.inventory import FifoInventory
from hydra.trading.option_rules import ChainContract, NotEligible
from hydra.trading.option_symbols import Right, parsed
from hydra.trading.orders import (
    DecisionKey,
    Fill,
    Order,
    OrderType,
    RecordedOrder,
    Role,
    Side,
    TimeInForce,
)
from hydra.trading.quotes import Quote
from hydra.trading.sub_ledgers import BotInventory
from hydra.trading.symbol_prices import Unready
from messages.journal import WriteEntry
from messages.market import BarClosed
from messages.options import ChainNotRead, ChainRead
from messages.orders import OrderCanceled, OrderFilled, OrderIntent, ReportStored
from messages.positions import BOOK_CHANGED_TOPIC, BookChanged
from tests.actors.option_stage import (
    BOT,
    CALL,
    DOWN,
    EXPIRES,
    FRIDAY,
    PUT,
    UP,
    Stage,
    calendar,
    contract,
    held,
    plan_for,
    recorded,
    recorded_order,
    settings_of,
)
from tests.engine.scenery import OPEN_AT, bars_of, market_of, quiet

D = Decimal
ENTERED_AT = OPEN_AT + 12 * MINUTE


def entry_of(quantity: int = 2, symbol: str = CALL, session: str = "2016-04-15") -> OrderIntent:
    """The entry that a signal and a quote of 1.98 to 2.00 lead to."""
    return OrderIntent(
        decision=DecisionKey(BOT, symbol, session, 1, Role.ENTRY),
        side=Side.BUY,
        quantity=D(quantity),
        reason="placeholder_options_v1: call",
        decided_at=ENTERED_AT,
        reference_price=D("2.0"),
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.DAY,
        limit_price=D("2.0"),
        protective_stop=D("1.4"),
    )


# Entering


def test_a_rise_buys_a_call_at_the_ask_for_its_premium() -> None:
    stage = Stage()

    stage.play(UP)
    (asked,) = stage.chains.asked
    stage.answer(contract())
    followed = stage.followed
    stage.quote()

    assert (asked.underlying, asked.right) == ("SPY", Right.CALL)
    assert (asked.first, asked.last) == (date(2016, 4, 22), date(2016, 5, 30))
    assert asked.strike_from < 100 < asked.strike_to
    assert followed == (CALL,)
    assert stage.intents == [entry_of()]


def test_a_fall_buys_a_put() -> None:
    stage = Stage()

    entry = stage.enter(PUT, DOWN)

    assert stage.chains.asked[0].right is Right.PUT
    assert (entry.decision.symbol, entry.side) == (PUT, Side.BUY)


def test_nothing_is_bought_on_the_chain_alone_only_on_a_quote_after_it_i46() -> None:
    stage = Stage()

    stage.play(UP)
    stage.answer(contract())
    stage.wait(30 * SECOND)

    assert stage.intents == []
    assert stage.state()["searches"] == {"SPY": CALL}


@pytest.mark.parametrize(
    ("bid", "ask"),
    [(1.5, 2.0), (2.0, 2.0), (5.9, 6.0)],
    ids=["too wide", "crossed", "too dear"],
)
def test_the_quote_that_it_would_buy_on_has_to_meet_every_rule_once_more_i46(
    bid: float, ask: float
) -> None:
    stage = Stage()
    stage.play(UP)
    stage.answer(contract())

    stage.quote(CALL, bid, ask)
    stage.quote()

    assert stage.intents == []
    assert stage.state()["searches"] == {}


@pytest.mark.parametrize(
    "chain",
    [
        (),
        (contract(delta=None),),
        (contract(implied_volatility=None),),
        (contract(quote=None),),
        (contract(open_interest=None),),
        (contract(tradable=False),),
        (contract(multiplier=D(10)),),
        (contract(PUT),),
        (contract(quote=Quote(CALL, 0, 2.0, 1.98, 1.0, 1.0)),),
        (contract(quote=Quote(CALL, 1, 1.98, 2.0, 1.0, 1.0)),),
        (contract(), contract()),
    ],
    ids=[
        *("empty", "no greeks", "no volatility", "no quote", "no open interest", "untradable"),
        *("adjusted", "a put", "crossed", "of long ago", "listed twice"),
    ],
)
def test_a_chain_without_a_contract_that_is_known_to_be_good_is_left_alone_i46(
    chain: tuple[ChainContract, ...],
) -> None:
    stage = Stage()
    stage.play(UP)

    stage.answer(*chain)
    stage.quote()

    assert stage.intents == []
    assert (stage.followed, stage.state()["searches"]) == ((), {})


def test_contracts_that_could_not_be_read_are_on_record_among_the_rejected() -> None:
    stage = Stage()
    journal = stage.kit.probe("journal")
    stage.kit.runtime._journal = journal.ref
    stage.play(UP)
    asked = stage.chains.asked[-1]
    odd = NotEligible(symbol="?", rule="is_read", reason="it has no multiplier")

    stage.kit.tell(
        stage.bot,
        ChainRead(contracts=(), asked_by=asked.asked_by, number=asked.number, unread=(odd, odd)),
    )

    entries = [each for each in journal.told if isinstance(each, WriteEntry)]
    (searched,) = [each.fields for each in entries if each.event == "chain_searched"]
    assert (searched["rejected"], searched["chosen"]) == ({"is_read": 2}, None)


def test_a_chain_that_cannot_be_read_or_does_not_come_ends_its_search() -> None:
    stage = Stage()
    stage.play(UP)
    asked = stage.chains.asked[-1]
    failed = ChainNotRead(reason="it is away", asked_by=asked.asked_by, number=asked.number)

    stage.kit.tell(stage.bot, failed)
    after_a_failure = stage.state()["searches"]
    stage.answer(contract())  # too late
    stage.play([100.5] * 10 + [101.0])
    stage.wait(11 * SECOND)
    stage.answer(contract())
    stage.quote()

    assert after_a_failure == stage.state()["searches"] == {}
    assert len(stage.chains.asked) == 2
    assert stage.intents == []


def test_a_search_whose_quote_does_not_come_is_given_up() -> None:
    stage = Stage()
    stage.play(UP)
    stage.answer(contract())

    stage.wait(6 * MINUTE)
    stage.quote()

    assert (stage.intents, stage.followed) == ([], ())


def test_a_quote_of_before_the_choice_is_waited_out_i46() -> None:
    """A stream that runs already may bring one, and a clock that is behind ours dates it so."""
    stage = Stage()
    stage.play(UP)
    stage.answer(contract())
    stage.wait(100 * MILLISECOND)

    stage.quote(behind=150 * MILLISECOND)
    too_early = list(stage.intents)
    stage.wait(100 * MILLISECOND)
    stage.quote(behind=150 * MILLISECOND)

    assert too_early == []
    assert [each.decision.symbol for each in stage.intents] == [CALL]


@pytest.mark.parametrize("symbol", [CALL, "SPY"])
def test_a_contract_that_must_not_be_entered_yet_is_waited_for_i45(symbol: str) -> None:
    stage = Stage()
    stage.play(UP)
    stage.answer(contract())
    stage.is_ready(symbol, Unready.UNKNOWN)

    stage.quote()
    unready = list(stage.intents)
    stage.is_ready(symbol)
    stage.quote()

    assert unready == []
    assert stage.intents == [entry_of()]


@pytest.mark.parametrize("symbol", [CALL, "SPY"])
def test_a_bid_that_was_denied_because_prices_went_just_then_is_made_again_i45(symbol: str) -> None:
    stage = Stage()
    first = stage.enter()
    stage.is_ready(symbol, Unready.LOST)
    stage.is_ready(symbol)

    stage.deny(first, "trading_is_open")
    stage.wait(SECOND)
    again = stage.state()["searches"], stage.followed, stage.state()["entries_today"]
    stage.quote()

    assert again == ({"SPY": CALL}, (CALL,), 1)
    (_, second) = stage.intents
    assert (second.decision.symbol, second.decision.signal) == (CALL, 2)


@pytest.mark.parametrize("denied_for", ["a halt", "another reason", "and turned", "too late"])
def test_any_other_bid_that_was_denied_is_given_up(denied_for: str) -> None:
    stage = Stage()
    first = stage.enter()
    if denied_for != "a halt":
        stage.is_ready(CALL, Unready.LOST)
    if denied_for == "and turned":
        stage.play([100.0, 99.0])
    if denied_for == "too late":
        stage.wait(6 * MINUTE)

    check = "heat_is_within_limit" if denied_for == "another reason" else "trading_is_open"
    stage.deny(first, check)
    stage.is_ready(CALL)
    stage.quote()

    assert [each.side for each in stage.intents] == [Side.BUY]
    assert CALL not in stage.state()["searches"].values()


def test_it_asks_for_nothing_before_it_knows_what_is_on_record_i38() -> None:
    stage = Stage()
    stage.kit.kill(stage.bot)
    stage.kit.advance(SECOND)  # it starts anew, and is not answered yet

    stage.play(UP[:3])
    stage.quote()

    assert (stage.chains.asked, stage.intents) == ([], [])


# Settings


def test_only_an_enabled_bot_on_what_the_market_has_gets_a_plan() -> None:
    assert plan_for().tickers == ("SPY", "QQQ")
    assert plan_for(symbols=("SPY", "AAPL")).tickers == ("SPY",)
    assert plan_for(settings_of(tickers=("QQQ",))).tickers == ("QQQ",)
    table = calendar()
    market = structs.replace(market_of(bars_of([1.0], "SPY")), option_calendar=table)
    assert options_plan(settings_of(enabled=False), market) is None
    assert options_plan(settings_of(tickers=("IWM",)), market) is None


def test_a_market_without_options_leaves_it_out_by_name() -> None:
    found = plans_of(settings_of(), quiet())

    assert (found.options, BOT in found.left_out) == (None, True)
    assert BOT not in plans_of(settings_of(enabled=False), quiet()).left_out


def test_its_contracts_may_be_entered_and_their_underlyings_not_i42() -> None:
    data = market_of((*bars_of([1.0], "SPY"), *bars_of([1.0], "AAPL")))
    market = structs.replace(data, option_calendar=calendar())
    settings = settings_of()

    terms = guardian_terms(settings, market, "PA-1", plans_of(settings, market), NO_FEES)

    limits = terms.desk.limits
    assert limits.symbols == {("mom_AAPL", "AAPL"), ("mom_AAPL_cross", "AAPL")}
    assert limits.option_roots == {(BOT, "SPY")}
    assert terms.desk.budgets.bots["options"] == (BOT,)
    assert BOT in terms.desk.windows


def test_it_trades_under_its_name() -> None:
    stage = Stage(plan_for(settings_of(bot_id="gamma")))

    assert stage.enter().decision.bot == "gamma"
    assert plan_for(settings_of(bot_id="gamma")).option_roots == {
        ("gamma", "SPY"),
        ("gamma", "QQQ"),
    }


@pytest.mark.parametrize(
    ("changes", "asks"),
    [
        ({}, True),
        ({"session__trade_start": time(6, 43)}, False),
        ({"session__trade_start": time(6, 31), "session__trade_end": time(6, 42)}, False),
        ({"session__manage_until": time(6, 42)}, False),
    ],
)
def test_it_enters_only_inside_its_trade_window(changes: dict[str, Any], asks: bool) -> None:
    stage = Stage(plan_for(settings_of(**changes)))

    stage.play(UP)

    assert bool(stage.chains.asked) is asks


def test_entries_of_the_day_are_counted_over_all_underlyings() -> None:
    def asked(most: int) -> list[str]:
        stage = Stage(plan_for(settings_of(risk__max_trades_per_day=most)))
        entry = stage.enter()
        stage.canceled(entry)
        stage.play(UP, "QQQ")
        return [each.underlying for each in stage.chains.asked]

    assert (asked(1), asked(2)) == (["SPY"], ["SPY", "QQQ"])


def test_what_a_long_bar_wants_is_bought_once_and_what_could_not_be_is_tried_again_i16() -> None:
    # The second bar of eight minutes is higher than the first, and wants in at every other one.
    signal = settings_of().optionsbot.signal.model_copy(
        update={"bar_minutes": 8, "entry_minutes": 2, "params": {"lookback_bars": 1}}
    )
    stage = Stage(plan_for(settings_of(signal=signal)))
    stage.play([100.0] * 15 + [100.5])
    stage.kit.tell(stage.bot, not_read(stage))

    stage.play([100.5] * 2)
    stage.answer(contract())
    stage.quote()
    stage.fill(stage.intents[-1], "2.00")
    stage.play([100.5] * 5)

    assert [each.decision.role for each in stage.intents] == [Role.ENTRY]
    assert len(stage.chains.asked) == 2


def not_read(stage: Stage) -> ChainNotRead:
    asked = stage.chains.asked[-1]
    return ChainNotRead(asked_by=asked.asked_by, number=asked.number, reason="busy")


def test_positions_are_counted_over_all_underlyings() -> None:
    def asked(most: int) -> list[str]:
        stage = Stage(plan_for(settings_of(risk__max_concurrent_positions=most)))
        stage.play(UP)
        stage.answer(contract())
        stage.quote()
        stage.play(UP, "QQQ")
        return [each.underlying for each in stage.chains.asked]

    assert (asked(1), asked(2)) == (["SPY"], ["SPY", "QQQ"])


def test_a_search_counts_for_the_position_that_it_may_come_to() -> None:
    stage = Stage(plan_for(settings_of(risk__max_concurrent_positions=1)))

    both = zip(bars_of(UP, "SPY", stage.now), bars_of(UP, "QQQ", stage.now), strict=True)
    for one, other in both:
        stage.kit.advance(MINUTE)
        stage.kit.tell(stage.bot, BarClosed(bar=one))
        stage.kit.tell(stage.bot, BarClosed(bar=other))

    assert [each.underlying for each in stage.chains.asked] == ["SPY"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("dte_min", 29),
        ("dte_max", 27),
        ("delta_min", D("0.45")),
        ("delta_max", D("0.35")),
        ("max_spread_pct", D("0.5")),
        ("min_open_interest", 1_001),
        ("max_quote_age_seconds", 5),
    ],
)
def test_each_chain_rule_keeps_a_contract_out(key: str, value: object) -> None:
    def chosen(**changes: object) -> object:
        stage = Stage(plan_for(settings_of(**changes)))
        stage.play(UP)
        ten_seconds_ago = Quote(CALL, stage.now - 10 * SECOND, 1.98, 2.0, 1.0, 1.0)
        stage.answer(contract(quote=ten_seconds_ago))
        return stage.state()["searches"]

    assert chosen() == {"SPY": CALL}
    assert chosen(**{f"chain_rules__{key}": value}) == {}


def test_an_entry_pays_no_more_than_its_premium() -> None:
    def bought(premium: int) -> Decimal:
        stage = Stage(plan_for(settings_of(execution__default_premium_usd=D(premium))))
        return stage.enter().quantity

    assert [bought(each) for each in (200, 399, 400, 1_000)] == [1, 1, 2, 5]


@pytest.mark.parametrize("seconds", [20, 45])
def test_an_entry_that_is_not_filled_in_time_is_canceled(seconds: int) -> None:
    stage = Stage(plan_for(settings_of(execution__cancel_unfilled_seconds=seconds)))
    entry = stage.enter()

    stage.wait((seconds - 1) * SECOND)
    before = stage.cancels
    stage.wait(2 * SECOND)

    assert before == []
    assert {each.decision for each in stage.cancels} == {entry.decision}


def test_the_strategy_and_its_parameters_decide_when() -> None:
    def asked(mode: str, closes: list[float], **params: int | float) -> list[Right]:
        signal = SignalSettings(mode=mode, params=params)
        stage = Stage(plan_for(settings_of(signal=signal)))
        stage.wait(10 * MINUTE)
        stage.play(closes)
        return [each.right for each in stage.chains.asked]

    small = [100.0] * 3 + [100.1]
    assert asked("placeholder_options_v1", small, lookback_bars=2, threshold_pct=0.2) == []
    assert asked("placeholder_options_v1", small, lookback_bars=2, threshold_pct=0.1) == [
        Right.CALL
    ]
    falling = [102.0, 101.0, 100.0, 103.0]
    assert asked("moving_average_cross", falling, fast_bars=1, slow_bars=2) == [Right.CALL]


# Leaving


@pytest.mark.parametrize(
    ("bid", "reason"), [(1.40, "stop_loss"), (2.80, "take_profit"), (1.41, None), (2.79, None)]
)
def test_a_loss_or_a_gain_of_the_premium_is_sold_at_the_bid(bid: float, reason: str | None) -> None:
    stage = Stage()
    stage.hold()

    stage.quote(CALL, bid, bid + 0.05)

    exits = stage.intents[1:]
    assert [each.reason for each in exits] == ([] if reason is None else [reason])
    if reason is not None:
        (exit_,) = exits
        assert (exit_.side, exit_.quantity, exit_.order_type) == (Side.SELL, D(2), OrderType.LIMIT)
        assert (exit_.limit_price, exit_.decision.role) == (D(str(bid)), Role.EXIT)


@pytest.mark.parametrize(
    ("changes", "minutes", "bid", "reason"),
    [
        ({"exits__time_stop_minutes": 15}, 15, 2.0, "time_stop"),
        ({"exits__take_profit_pct": D("0.02")}, 5, 2.05, "take_profit"),
        ({"exits__stop_loss_pct": D("0.005")}, 5, 1.98, "stop_loss"),
        ({"session__manage_until": time(9, 50)}, 188, 2.0, "session_end"),
        ({"exits__flatten_before_close_minutes": 200}, 178, 2.0, "session_end"),
    ],
)
def test_each_exit_closes_by_its_own_key(
    changes: dict[str, Any], minutes: int, bid: float, reason: str
) -> None:
    def reasons(**changes: Any) -> list[str]:
        """Of what is sold so many minutes after it was bought."""
        settings = settings_of(**{"exits__time_stop_minutes": 300, **changes})
        record = recorded(held(CALL, opened_at=ENTERED_AT))
        stage = Stage(plan_for(settings), record, start_at=ENTERED_AT + minutes * MINUTE)
        stage.wait(SECOND)
        stage.quote(CALL, bid, bid + 0.02)
        return [each.reason for each in stage.intents]

    assert reasons() == []
    assert reasons(**changes) == [reason]


@pytest.mark.parametrize(("lasts", "sold_after"), [(390, 380), (210, 200)])
def test_it_is_flat_before_the_close_also_of_a_half_day(lasts: int, sold_after: int) -> None:
    settings = settings_of(exits__time_stop_minutes=1_000)
    sold_at = OPEN_AT + sold_after * MINUTE
    record = recorded(held(CALL, opened_at=ENTERED_AT))
    stage = Stage(plan_for(settings, closes={FRIDAY: lasts}), record, start_at=sold_at - 5 * SECOND)

    stage.wait(4 * SECOND)
    before = len(stage.intents)
    stage.wait(2 * SECOND)

    assert before == 0
    assert [each.reason for each in stage.intents] == ["session_end"]


def test_on_its_last_day_a_contract_is_sold_an_hour_before_the_close() -> None:
    last_day = OPEN_AT + (EXPIRES - FRIDAY).days * 24 * 60 * MINUTE
    position = held(CALL, opened_at=last_day + MINUTE)
    plan = plan_for(settings_of(exits__time_stop_minutes=1_000))
    stage = Stage(plan, recorded(position), start_at=last_day + 329 * MINUTE)

    stage.wait(50 * SECOND)
    before = len(stage.intents)
    stage.wait(15 * SECOND)

    assert before == 0
    assert [each.reason for each in stage.intents] == ["session_end"]


def test_a_signal_to_the_contrary_closes_what_is_held() -> None:
    stage = Stage()
    stage.hold()

    stage.play(DOWN)

    (exit_,) = [each for each in stage.intents if each.side is Side.SELL]
    assert (exit_.decision.symbol, exit_.reason) == (CALL, "signal")


def test_a_signal_to_the_contrary_counts_also_while_the_record_is_read_again() -> None:
    stage = Stage()
    stage.hold()
    stage.record = recorded(held(CALL, opened_at=ENTERED_AT))
    (turned,) = bars_of([99.5], "SPY", stage.now)
    stage.wait(MINUTE)

    stage.kit.tell(stage.bot, BookChanged())
    stage.kit.tell(stage.bot, BarClosed(bar=turned))
    stage.recover()
    stage.wait(SECOND)

    (exit_,) = [each for each in stage.intents if each.side is Side.SELL]
    assert (exit_.decision.symbol, exit_.reason) == (CALL, "signal")


def test_a_signal_to_the_contrary_ends_the_search_for_a_contract() -> None:
    stage = Stage()
    stage.play(UP)
    stage.answer(contract(CALL))
    stage.play([99.0])
    stage.quote(CALL)

    assert stage.intents == []
    assert [asked.right for asked in stage.chains.asked] == [Right.CALL, Right.PUT]


def test_an_exit_never_waits_for_a_perfect_quote() -> None:
    settings = settings_of(exits__time_stop_minutes=15)
    record = recorded(held(CALL, opened_at=ENTERED_AT))
    stage = Stage(plan_for(settings), record, start_at=ENTERED_AT + 13 * MINUTE)

    stage.quote(CALL, 1.98, 2.0)
    stage.wait(121 * SECOND)  # of no other quote is anything heard

    (exit_,) = stage.intents
    assert (exit_.order_type, exit_.limit_price) == (OrderType.MARKET, None)
    assert exit_.reason == "time_stop"


def test_an_exit_at_the_bid_that_is_not_filled_is_canceled_and_goes_to_the_market() -> None:
    stage = Stage()
    stage.hold()
    stage.quote(CALL, 1.3, 1.4)
    first = stage.intents[-1]

    stage.wait(31 * SECOND)
    asked = {each.decision for each in stage.cancels}
    stage.fill(first, "1.30", quantity=1)
    stage.canceled(first)
    stage.wait(SECOND)

    second = stage.intents[-1]
    assert first.order_type is OrderType.LIMIT
    assert asked == {first.decision}
    assert (second.order_type, second.quantity) == (OrderType.MARKET, D(1))
    assert len(stage.intents) == 3


def test_an_exit_that_is_denied_at_its_limit_goes_to_the_market_and_then_keeps_trying() -> None:
    stage = Stage()
    stage.hold()
    stage.quote(CALL, 1.3, 1.4)

    stage.deny(stage.intents[-1])
    stage.wait(SECOND)
    at_market = stage.intents[-1]
    stage.deny(at_market, "trading_is_open")
    stage.wait(20 * SECOND)
    meanwhile = len(stage.intents)
    stage.wait(20 * SECOND)

    assert at_market.order_type is OrderType.MARKET
    assert meanwhile == 3
    assert [each.order_type for each in stage.intents[3:]] == [OrderType.MARKET]


def test_a_stop_that_was_hit_stays_hit_though_nobody_bought_and_the_bid_recovers_i30() -> None:
    stage = Stage()
    stage.hold()
    stage.quote(CALL, 1.1, 1.2)
    first = stage.intents[-1]
    stage.wait(31 * SECOND)
    stage.quote(CALL, 1.98, 2.0)
    stage.canceled(first)
    stage.quote(CALL, 1.98, 2.0)

    second = stage.intents[-1]
    assert first.reason == "stop_loss"
    assert (second.order_type, second.reason) == (OrderType.MARKET, "stop_loss")
    assert stage.guards[-1].hit is not None


def test_that_its_stop_was_hit_before_a_crash_it_takes_from_the_record_i30_i38() -> None:
    hit = HitStop(bot=BOT, symbol=CALL, reason="stop_loss", lots=("x1",))
    record = structs.replace(recorded(held(CALL, opened_at=ENTERED_AT)), hit_stops=text_of([hit]))
    stage = Stage(record=record, start_at=ENTERED_AT + MINUTE)

    stage.quote(CALL, 1.98, 2.0)

    assert [each.reason for each in stage.intents] == ["stop_loss"]


def test_an_exit_that_no_order_could_be_is_tried_again_at_the_bid_after_a_while() -> None:
    stage = Stage()
    stage.hold()
    stage.quote(CALL, 1.3, 1.4)
    stage.deny(stage.intents[-1], "trading_is_open")
    stage.wait(20 * SECOND)
    meanwhile = len(stage.intents[1:])
    stage.wait(15 * SECOND)

    assert meanwhile == 1
    assert [each.limit_price for each in stage.intents[1:]] == [D("1.3"), D("1.3")]


@pytest.mark.parametrize(("in_penny_program", "limit"), [(True, "1.33"), (False, "1.30")])
def test_an_exit_is_on_a_step_of_the_contract_as_its_listing_said_i35(
    in_penny_program: bool, limit: str
) -> None:
    stage = Stage()
    stage.play(UP)
    stage.answer(contract(in_penny_program=in_penny_program))
    stage.quote()
    stage.fill(stage.intents[-1], "2.00")

    stage.quote(CALL, 1.33, 1.4)

    assert stage.intents[-1].limit_price == D(limit)


def test_after_a_restart_an_exit_is_on_a_step_that_is_right_in_any_contract_i35() -> None:
    record = recorded(held(CALL, opened_at=ENTERED_AT))
    stage = Stage(record=record, start_at=ENTERED_AT + MINUTE)

    stage.quote(CALL, 1.33, 1.4)

    assert stage.intents[-1].limit_price == D("1.30")


def test_while_the_exchange_is_closed_nothing_is_sent_i43() -> None:
    close_at = OPEN_AT + 390 * MINUTE
    record = recorded(held(CALL, opened_at=ENTERED_AT))
    stage = Stage(record=record, start_at=close_at - 40 * SECOND)

    stage.wait(2 * SECOND)
    stage.deny(stage.intents[-1], "trading_is_open")
    stage.wait(45 * SECOND)  # it would have been tried once more by now
    in_session = len(stage.intents)
    stage.deny(stage.intents[-1], "trading_is_open")
    stage.wait(MINUTE)

    assert in_session == len(stage.intents) == 2


def test_what_was_held_over_night_is_sold_at_the_bell() -> None:
    monday = OPEN_AT + 3 * 24 * 60 * MINUTE
    record = recorded(held(CALL, opened_at=ENTERED_AT))
    stage = Stage(record=record, start_at=monday - 10 * SECOND)

    stage.wait(9 * SECOND)
    before = len(stage.intents)
    stage.wait(2 * SECOND)

    assert before == 0
    assert [each.reason for each in stage.intents] == ["time_stop"]


def test_what_is_working_of_an_entry_goes_first_when_it_has_to_be_closed() -> None:
    stage = Stage()
    entry = stage.enter()
    stage.fill(entry, "2.00", quantity=1)

    stage.quote(CALL, 1.3, 1.4)
    meanwhile = list(stage.intents)
    stage.canceled(entry)

    assert meanwhile == [entry]
    assert [each.decision for each in stage.cancels] == [entry.decision]
    assert [(each.side, each.quantity) for each in stage.intents[1:]] == [(Side.SELL, D(1))]


# Protection, and after a restart


def test_it_tells_what_it_guards_at_each_look_and_withdraws_it_when_it_is_flat_i30() -> None:
    stage = Stage()
    entry = stage.hold()
    stage.wait(5 * SECOND)
    stage.quote(CALL, 2.0, 2.05)
    held, quoted_at = stage.guards[-1], stage.now
    stage.quote(CALL, 1.3, 1.4)
    stage.fill(stage.intents[-1], "1.30")
    stage.wait(2 * SECOND)

    assert (held.bot, held.symbol, held.quantity) == (BOT, CALL, entry.quantity)
    assert (held.looked_at, held.price_at, held.since) == (quoted_at, quoted_at, ENTERED_AT)
    assert stage.guards[-1].quantity == 0
    assert stage.followed == ()


def test_what_is_held_is_followed_before_what_is_looked_for_i45() -> None:
    """Where there is not room for all, the last ones go without."""
    record = recorded(held(PUT, opened_at=ENTERED_AT))
    stage = Stage(plan_for(settings_of()), record, start_at=ENTERED_AT + MINUTE)

    stage.play(UP)
    stage.answer(contract())

    assert stage.followed == (PUT, CALL)


def test_after_a_restart_a_position_is_followed_and_closed_by_its_rules_i38() -> None:
    entry = entry_of()
    filled = recorded_order(entry, is_open=False, filled=2)
    record = recorded(held(CALL, opened_at=ENTERED_AT), orders=(filled,))
    settings = settings_of(risk__max_trades_per_day=1)
    stage = Stage(plan_for(settings), record, start_at=ENTERED_AT + MINUTE)

    stage.play(UP)  # it has made its entry of the day
    asked = list(stage.chains.asked)
    stage.wait(SECOND)
    followed = stage.followed
    stage.quote(CALL, 1.3, 1.4)

    assert (asked, followed) == ([], (CALL,))
    (exit_,) = stage.intents
    assert (exit_.reason, exit_.quantity) == ("stop_loss", D(2))
    assert exit_.decision.signal > entry.decision.signal


def test_after_a_restart_an_entry_that_works_is_no_reason_for_another_and_goes_in_time_i38() -> (
    None
):
    entry = entry_of()
    record = recorded(orders=(recorded_order(entry, is_open=True),))
    settings = settings_of(risk__max_concurrent_positions=1)
    stage = Stage(plan_for(settings), record, start_at=ENTERED_AT + MINUTE)

    stage.wait(61 * SECOND)
    asked = {each.decision for each in stage.cancels}
    stage.play(UP)

    assert asked == {entry.decision}
    assert (stage.chains.asked, stage.intents) == ([], [])


def test_it_does_not_say_that_it_guards_what_is_short_i30() -> None:
    """It has no rule for that; the exit bot takes over what nobody looks at."""
    position = held(CALL, opened_at=ENTERED_AT)
    (lot,) = position.inventory.lots
    short = FifoInventory(CALL, (structs.replace(lot, side=Side.SELL),))
    stage = Stage(record=recorded(BotInventory(BOT, short)), start_at=ENTERED_AT + MINUTE)

    stage.quote(CALL, 1.98, 2.0)
    stage.wait(10 * SECOND)

    assert (stage.guards, stage.intents) == ([], [])


@pytest.mark.parametrize("written", ["SPY160513C00105000", "QQQ160513C00105000"])
def test_what_may_cover_a_short_contract_is_not_sold_before_that_is_bought_back(
    written: str,
) -> None:
    sold = held(written, opened_at=ENTERED_AT)
    (lot,) = sold.inventory.lots
    short = FifoInventory(written, (structs.replace(lot, side=Side.SELL, execution_id="x2"),))
    record = recorded(held(CALL, opened_at=ENTERED_AT), BotInventory(BOT, short))
    stage = Stage(record=record, start_at=ENTERED_AT + MINUTE)
    stage.quote(CALL, 1.3, 1.4)
    beside_it = list(stage.intents)

    decision = DecisionKey(BOT, written, "2016-04-15", -1, Role.EXIT)
    fill = Fill(
        execution_id="x3",
        client_order_id="hy1-back",
        symbol=written,
        side=Side.BUY,
        quantity=D(2),
        price=D(2),
        at=stage.now,
    )
    stage.kit.tell(stage.bot, ReportStored(decision=decision, report=OrderFilled(fill=fill)))
    stage.wait(SECOND)

    option = parsed(written)
    covers = option is not None and option.root == "SPY"
    assert len(beside_it) == (0 if covers else 1)
    assert [(each.decision.symbol, each.side) for each in stage.intents] == [(CALL, Side.SELL)]


def test_what_was_assigned_as_got_for_nothing_is_sold_and_fails_nobody_i29() -> None:
    position = held(CALL, opened_at=ENTERED_AT)
    (lot,) = position.inventory.lots
    free = FifoInventory(CALL, (structs.replace(lot, price=D(0)),))
    stage = Stage(record=recorded(BotInventory(BOT, free)), start_at=ENTERED_AT + MINUTE)

    stage.quote(CALL, 1.98, 2.0)

    assert stage.kit.status(stage.bot) == "running"
    assert [(each.side, each.quantity, each.reason) for each in stage.intents] == [
        (Side.SELL, D(2), "take_profit")
    ]


def test_a_stop_that_was_adopted_rests_until_an_exit_and_goes_before_it_i29_i30() -> None:
    adopted = DecisionKey(BOT, CALL, "2016-04-15", 1 << 40, Role.PROTECT)
    stop = Order(
        client_order_id="by-hand-1",
        symbol=CALL,
        side=Side.SELL,
        quantity=D(2),
        order_type=OrderType.STOP,
        time_in_force=TimeInForce.DAY,
        stop_price=D("0.50"),
    )
    found = RecordedOrder(decision=adopted, order=stop, is_open=True, filled_quantity=D(0))
    record = recorded(held(CALL, opened_at=ENTERED_AT), orders=(found,))
    stage = Stage(record=record, start_at=ENTERED_AT + MINUTE)

    stage.quote(CALL, 1.98, 2.0)
    stage.wait(60 * SECOND)
    before = list(stage.cancels)
    stage.quote(CALL, 1.1, 1.2)
    asked = {each.decision for each in stage.cancels}
    gone = OrderCanceled(client_order_id="by-hand-1", at=stage.now)
    stage.kit.tell(stage.bot, ReportStored(decision=adopted, report=gone))

    assert (before, asked) == ([], {adopted})
    (exit_,) = stage.intents
    assert (exit_.reason, exit_.quantity) == ("stop_loss", D(2))


def recorded_exit(
    signal: int, order_type: OrderType = OrderType.LIMIT, limit_price: str | None = "2.60"
) -> RecordedOrder:
    """One to sell both, which works: of an earlier life, or of somebody else."""
    order = Order(
        client_order_id="by-hand-1",
        symbol=CALL,
        side=Side.SELL,
        quantity=D(2),
        order_type=order_type,
        time_in_force=TimeInForce.DAY,
        limit_price=None if limit_price is None else D(limit_price),
    )
    decision = DecisionKey(BOT, CALL, "2016-04-15", signal, Role.EXIT)
    return RecordedOrder(decision=decision, order=order, is_open=True, filled_quantity=D(0))


@pytest.mark.parametrize("signal", [1 << 40, 2], ids=["adopted", "of an earlier life"])
def test_an_exit_that_rests_is_left_alone_until_something_is_to_be_closed_i29_i38(
    signal: int,
) -> None:
    found = recorded_exit(signal)
    record = recorded(held(CALL, opened_at=ENTERED_AT), orders=(found,))
    stage = Stage(record=record, start_at=ENTERED_AT + MINUTE)
    stage.wait(MINUTE)
    stage.quote(CALL, 1.98, 2.0)
    before = list(stage.cancels)

    stage.quote(CALL, 1.3, 1.4)
    asked = {each.decision for each in stage.cancels}
    gone = OrderCanceled(client_order_id="by-hand-1", at=stage.now)
    stage.kit.tell(stage.bot, ReportStored(decision=found.decision, report=gone))

    assert (before, asked) == ([], {found.decision})
    (exit_,) = stage.intents
    assert (exit_.reason, exit_.limit_price) == ("stop_loss", D("1.3"))


def test_an_exit_at_the_market_of_somebody_else_is_waited_for_i25() -> None:
    found = recorded_exit(-1, OrderType.MARKET, None)
    record = recorded(held(CALL, opened_at=ENTERED_AT), orders=(found,))
    stage = Stage(record=record, start_at=ENTERED_AT + MINUTE)

    stage.quote(CALL, 1.3, 1.4)
    stage.wait(MINUTE)

    assert (stage.cancels, stage.intents) == ([], [])


def test_an_exit_of_this_life_is_taken_out_in_time_though_the_record_was_read_again_i38() -> None:
    """As it is when an operator has assigned something else to the bot."""
    stage = Stage()
    entry = stage.hold()
    stage.quote(CALL, 1.3, 1.4)
    exit_ = stage.intents[-1]
    orders = (recorded_order(entry, is_open=False, filled=2), recorded_order(exit_, is_open=True))
    stage.record = recorded(held(CALL, opened_at=ENTERED_AT), orders=orders)
    stage.kit.publish(BOOK_CHANGED_TOPIC, BookChanged())
    stage.recover()

    stage.wait(25 * SECOND)
    meanwhile = list(stage.cancels)
    stage.wait(10 * SECOND)

    assert meanwhile == []
    assert {each.decision for each in stage.cancels} == {exit_.decision}
