"""What the crypto bot wants in one pair."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec import structs

from hydra.trading.bars import Bar
from hydra.trading.coin_orders import CoinTerms, EntryTerms
from hydra.trading.coin_pair import (
    CoinPair,
    Enter,
    Leave,
    Nothing,
    PairRules,
    TakeOut,
    Totals,
    Wish,
)
from hydra.trading.durations import HOUR, MINUTE
from hydra.trading.exit_rules import ExitRules
from hydra.trading.fees import ALPACA_FEES, NO_FEES
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
from hydra.trading.sessions import ROUND_THE_CLOCK, ExchangeSession, Window
from hydra.trading.strategies.longer_bars import LongerBars
from hydra.trading.strategies.strategy import Signal
from hydra.trading.strategy_feed import StrategyFeed
from hydra.trading.sub_ledgers import BotInventory
from hydra.trading.symbol_book import SymbolBook

PAIR = "BTC/USD"
NOON = 1_704_110_400 * 1_000_000_000
"""2024-01-01 12:00 UTC, 04:00 in Los Angeles."""
ZONE = "America/Los_Angeles"
NOTHING_ELSE = Totals(entries=0, positions=0)


class Says:
    """A strategy that wants the same at every bar."""

    warm_up = 1

    def __init__(self, signal: Signal | None) -> None:
        self.signal = signal

    def on_bar(self, bar: Bar, session: ExchangeSession | None) -> Signal | None:
        return self.signal


def rules(start: str = "00:00", end: str = "23:59", until: str = "23:59", **how: Any) -> PairRules:
    fine = PairRules(
        trade_window=Window.parse(start, end, ZONE),
        manage_window=Window.parse(start, until, ZONE),
        entry=EntryTerms(
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            notional_usd=Decimal(50),
            is_notional=True,
        ),
        entry_lasts=2 * MINUTE,
        entry_gap=1,
        exits=ExitRules(Decimal("0.75"), Decimal("1.5"), 4 * HOUR),
        fees=ALPACA_FEES,
        max_trades_per_day=6,
        max_positions=2,
    )
    return structs.replace(fine, **how)


class Trader:
    """A pair, and what happens to it."""

    def __init__(self, signal: Signal | None = Signal.ENTER_LONG, *, warm: bool = True) -> None:
        self._strategy = Says(signal)
        self.pair = CoinPair(
            SymbolBook("crypto_core", PAIR, CoinTerms().quantity_step),
            StrategyFeed(self._strategy, ROUND_THE_CLOCK),
            CoinTerms(),
        )
        self.pair.book.begin_session("2024-01-01")
        if warm:
            self.pair.strategy.take_history(())
        self.now = NOON

    def bar(self, close: float = 100.0, *, low: float | None = None, minutes: int = 1) -> None:
        """The next one, so many minutes after the last."""
        self.now += minutes * MINUTE
        low = close if low is None else low
        bar = Bar(PAIR, self.now - MINUTE, self.now, close, close, low, close, 1.0)
        self.pair.strategy.take_bar(bar)
        self.pair.bar = bar

    def wish(self, how: PairRules | None = None, totals: Totals = NOTHING_ELSE) -> Wish:
        at = self.pair.at(self.now)
        assert at is not None
        return self.pair.wish(at, how or rules(), totals)

    def says(self, signal: Signal | None) -> None:
        """From the next bar on."""
        self._strategy.signal = signal

    def leaves(self, quantity: str = "0.5") -> DecisionKey:
        decision = self.pair.book.next_decision(Role.EXIT)
        self.pair.book.intended(decision, Decimal(quantity))
        self.pair.strategy.acted()
        return decision

    def enters(self, quantity: str = "0.5") -> DecisionKey:
        decision = self.pair.book.next_decision(Role.ENTRY)
        self.pair.book.intended(decision, Decimal(quantity))
        self.pair.entered(decision, self.now)
        self.pair.strategy.acted()
        return decision

    def fills(self, decision: DecisionKey, quantity: str, price: str = "100") -> None:
        side = Side.SELL if decision.role.reduces else Side.BUY
        fill = Fill(
            execution_id=f"x-{self.now}-{quantity}",
            client_order_id=str(decision.signal),
            symbol=PAIR,
            side=side,
            quantity=Decimal(quantity),
            price=Decimal(price),
            at=self.now,
        )
        self.pair.book.filled(decision, fill, None)

    def holds(self, quantity: str = "0.5") -> None:
        self.bar()
        self.fills(self.enters(quantity), quantity)


@pytest.mark.parametrize(
    ("warm", "signal", "how", "totals", "why_not"),
    [
        (True, Signal.ENTER_LONG, {}, NOTHING_ELSE, ""),
        (False, Signal.ENTER_LONG, {}, NOTHING_ELSE, "the bars of before its start are not here"),
        (True, None, {}, NOTHING_ELSE, "the strategy gives no signal"),
        (True, Signal.EXIT_LONG, {}, NOTHING_ELSE, "the strategy gives no signal"),
        (True, Signal.ENTER_LONG, {}, Totals(entries=5, positions=1), ""),
        (
            True,
            Signal.ENTER_LONG,
            {},
            Totals(entries=6, positions=0),
            "it has made its 6 entries of the day",
        ),
        (
            True,
            Signal.ENTER_LONG,
            {},
            Totals(entries=0, positions=2),
            "it has 2 positions, of at most 2",
        ),
        (
            True,
            Signal.ENTER_LONG,
            {},
            Totals(entries=1, positions=1, too_soon=True),
            "its last entry was just now",
        ),
        (
            True,
            Signal.ENTER_LONG,
            {"entry": structs.replace(rules().entry, notional_usd=Decimal(9))},
            NOTHING_ELSE,
            "one entry of 9 USD would be worth 8.",
        ),
    ],
)
def test_it_enters_on_a_signal_within_the_limits_over_all_pairs_i30(
    warm: bool, signal: Signal | None, how: dict[str, Any], totals: Totals, why_not: str
) -> None:
    trader = Trader(signal, warm=warm)
    trader.bar()

    wish = trader.wish(rules(**how), totals)

    if why_not:
        assert isinstance(wish, Nothing)
        assert wish.reason.startswith(why_not)
    else:
        assert isinstance(wish, Enter)
        assert (wish.entry.limit_price, wish.entry.stop) == (Decimal("100.10"), Decimal("99.25"))


@pytest.mark.parametrize(
    ("window", "enters", "leaves"),
    [
        (("00:00", "23:59", "23:59"), True, False),
        (("04:00", "05:00", "06:00"), True, False),
        (("03:00", "04:00", "05:00"), False, False),
        (("02:00", "03:00", "04:00"), False, True),
        (("05:00", "06:00", "07:00"), False, True),
        (("22:00", "05:00", "06:00"), True, False),
        (("20:00", "02:00", "05:00"), False, False),
        (("20:00", "02:00", "03:00"), False, True),
    ],
)
def test_windows_are_obeyed_over_midnight_too_at_04_01_in_their_zone_i43(
    window: tuple[str, str, str], enters: bool, leaves: bool
) -> None:
    flat, holding = Trader(), Trader(None)
    flat.bar()
    holding.holds()
    holding.bar(minutes=0)

    assert isinstance(flat.wish(rules(*window)), Enter) is enters
    assert (holding.wish(rules(*window)) == Leave(Decimal("0.5"), "session_end")) is leaves


def test_what_the_strategy_wanted_out_of_is_sold_also_at_a_later_bar_than_said_it() -> None:
    trader = Trader(None)
    trader.holds()
    trader.says(Signal.EXIT_LONG)
    trader.bar()
    trader.pair.denied(trader.leaves(), trader.now)

    trader.says(None)
    trader.bar()
    still = trader.wish()
    trader.says(Signal.ENTER_LONG)
    trader.bar()

    assert still == Leave(Decimal("0.5"), "signal")
    assert trader.wish() == Nothing("it holds a position, and nothing says to close it")


def test_that_it_was_sold_is_no_reason_to_sell_the_next_position() -> None:
    trader = Trader(None)
    trader.holds()
    trader.says(Signal.EXIT_LONG)
    trader.bar()
    trader.fills(trader.leaves(), "0.5")
    trader.says(None)
    trader.bar()
    trader.wish()

    trader.holds()
    trader.bar()

    assert trader.wish() == Nothing("it holds a position, and nothing says to close it")


@pytest.mark.parametrize(
    ("close", "minutes", "signal", "wish"),
    [
        (99.26, 1, None, None),
        (99.25, 1, None, "stop_loss"),
        (101.49, 1, None, None),
        (101.5, 1, None, "take_profit"),
        (100.0, 239, None, None),
        (100.0, 240, None, "time_stop"),
        (100.0, 1, Signal.EXIT_LONG, "signal"),
        (100.0, 1, Signal.ENTER_LONG, None),
    ],
)
def test_what_it_holds_is_closed_whole_by_its_rules_or_held_i30(
    close: float, minutes: int, signal: Signal | None, wish: str | None
) -> None:
    trader = Trader(signal)
    trader.holds()
    trader.bar(close, minutes=minutes)

    expected = (
        Nothing("it holds a position, and nothing says to close it")
        if wish is None
        else Leave(Decimal("0.5"), wish)
    )
    assert trader.wish() == expected


def test_what_is_worth_more_than_one_order_may_be_is_sold_in_parts_i29_i30() -> None:
    """The venue takes no order that is worth more than 200,000 USD, of whoever wants out either."""
    trader, sold = Trader(None), list[Decimal]()
    trader.bar()
    trader.fills(trader.enters("4500"), "4500")

    for _ in range(4):
        trader.bar(99.0)
        match trader.wish():
            case Leave(quantity, "stop_loss"):
                sold.append(quantity)
                trader.fills(trader.leaves(str(quantity)), str(quantity), "99")
            case wish:
                assert wish == Nothing("the strategy gives no signal")

    assert sold == [Decimal(1_500)] * 3


def test_what_hit_its_stop_is_sold_to_the_last_part_wherever_the_price_goes_i30() -> None:
    trader, sold = Trader(None), list[Decimal]()
    trader.bar()
    trader.fills(trader.enters("4500"), "4500")
    trader.bar(99.0)
    assert trader.wish() == Leave(Decimal(1_500), "stop_loss")
    trader.pair.denied(trader.leaves("1500"), trader.now)

    for _ in range(3):
        trader.bar(100.0)
        match trader.wish():
            case Leave(quantity, "stop_loss"):
                sold.append(quantity)
                trader.fills(trader.leaves(str(quantity)), str(quantity))
            case wish:
                assert wish == Nothing("the strategy gives no signal")
    trader.holds()
    trader.bar(100.0)

    assert sum(sold) == Decimal(4_500)
    assert trader.wish() == Nothing("it holds a position, and nothing says to close it")


def test_a_gain_that_is_gone_again_is_not_taken() -> None:
    trader = Trader(None)
    trader.holds()
    trader.bar(101.5)
    taken = trader.wish()
    trader.pair.denied(trader.leaves(), trader.now)
    trader.bar(100.0)

    assert taken == Leave(Decimal("0.5"), "take_profit")
    assert trader.wish() == Nothing("it holds a position, and nothing says to close it")


def test_what_a_long_bar_wants_is_entered_once_and_not_again_after_its_stop_i16() -> None:
    trader = Trader()
    longer = LongerBars(Says(Signal.ENTER_LONG), bar_minutes=60, entry_minutes=5)
    trader.pair.strategy = StrategyFeed(longer, ROUND_THE_CLOCK)
    trader.pair.strategy.take_history(())
    wishes: list[Wish] = []
    for _ in range(12):
        trader.bar(minutes=5)
        wishes.append(trader.wish())
    trader.fills(trader.enters(), "0.5")
    sale = trader.pair.book.next_decision(Role.EXIT)
    trader.fills(sale, "0.5", "99")
    for _ in range(12):
        trader.bar(minutes=5)
        wishes.append(trader.wish())

    entered = [number for number, wish in enumerate(wishes, 1) if isinstance(wish, Enter)]
    assert entered == [12, 24]


def test_time_goes_on_when_no_bar_comes_and_nothing_is_entered_then_i30_i46() -> None:
    holding, flat = Trader(None), Trader()
    holding.holds()
    flat.bar()
    for trader in (holding, flat):
        trader.now += 5 * HOUR

    assert holding.wish() == Leave(Decimal("0.5"), "time_stop")
    assert flat.wish() == Nothing("no bar has come for too long")


def test_an_entry_that_still_works_is_taken_out_before_what_it_bought_is_sold_i30() -> None:
    trader = Trader(None)
    trader.bar()
    entry = trader.enters("0.5")
    trader.fills(entry, "0.3")
    trader.bar(99.0)

    first = trader.wish()
    trader.pair.book.ended(entry)
    then = trader.wish()

    assert first == TakeOut(entry, "what it bought is to be sold: stop_loss")
    assert then == Leave(Decimal("0.3"), "stop_loss")


def test_an_entry_works_for_so_long_and_is_then_taken_out_i30() -> None:
    trader = Trader()
    trader.bar()
    entry = trader.enters()
    wishes = []
    for _ in range(3):
        trader.bar()
        wishes.append(trader.wish())

    assert wishes[0] == Nothing("an order is working")
    assert wishes[1] == wishes[2] == TakeOut(entry, "its signal is history")


def test_an_entry_of_an_earlier_life_or_of_another_window_is_taken_out_at_once_i38_i43() -> None:
    recovered, late = Trader(), Trader()
    for trader in (recovered, late):
        trader.bar()
    earlier, later = recovered.pair.book.next_decision(Role.ENTRY), late.enters()
    recovered.pair.book.intended(earlier, Decimal(1))

    assert recovered.wish() == TakeOut(earlier, "its signal is history")
    assert late.wish(rules("03:00", "04:00", "05:00")) == TakeOut(later, "the trade window is over")


def test_while_it_leaves_nothing_else_is_wanted() -> None:
    trader = Trader()
    trader.holds()
    trader.bar(99.0)
    exit_ = trader.pair.book.next_decision(Role.EXIT)
    trader.pair.book.intended(exit_, Decimal("0.5"))

    assert trader.wish() == Nothing("an order is working")


def test_a_limit_order_that_was_adopted_goes_before_an_exit_i29_i30() -> None:
    trader = Trader(None)
    trader.holds()
    trader.bar(100.0)
    adopted = DecisionKey("crypto_core", PAIR, "2024-01-01", 1 << 40, Role.EXIT)
    order = Order(
        client_order_id="by-hand-1",
        symbol=PAIR,
        side=Side.SELL,
        quantity=Decimal("0.5"),
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        limit_price=Decimal(110),
    )
    on_record = RecordedOrder(
        decision=adopted, order=order, is_open=True, filled_quantity=Decimal(0)
    )
    held = BotInventory("crypto_core", trader.pair.book.inventory)
    trader.pair.book.recover([on_record], (), (held,), Decimal(0))

    before = trader.wish()
    trader.bar(99.0)
    first = trader.wish()
    trader.pair.book.ended(adopted)
    then = trader.wish()

    assert before == Nothing("an order is working")
    assert first == TakeOut(adopted, "it is to be sold now: stop_loss")
    assert then == Leave(Decimal("0.5"), "stop_loss")


def test_dust_is_no_position_and_makes_none_older_i61() -> None:
    """It is worth too little to be sold; with the next entry it is, and is."""
    trader = Trader()
    trader.holds("0.09")
    trader.bar(90.0, minutes=300)
    with_dust, is_taken = trader.wish(), trader.pair.is_taken
    trader.fills(trader.enters("0.6"), "0.6", "90")
    trader.bar(90.0)

    assert isinstance(with_dust, Enter)
    assert not is_taken
    assert trader.pair.is_taken
    assert trader.wish() == Nothing("it holds a position, and nothing says to close it")
    trader.bar(85.0)
    assert trader.wish() == Leave(Decimal("0.69"), "stop_loss")


def test_what_is_owed_is_neither_sold_nor_added_to() -> None:
    trader = Trader()
    trader.bar()
    odd = DecisionKey("crypto_core", PAIR, "2024-01-01", 9, Role.EXIT)
    trader.fills(odd, "0.5")

    assert trader.wish() == Nothing("it is short")
    assert trader.pair.is_taken


def test_without_fees_all_that_is_bought_counts_at_the_stop() -> None:
    entry = structs.replace(rules().entry, notional_usd=Decimal("10.1"))
    trader = Trader()
    trader.bar()

    kept = trader.wish(rules(entry=entry))
    whole = trader.wish(rules(entry=entry, fees=NO_FEES))

    assert isinstance(kept, Nothing)
    assert isinstance(whole, Enter)
