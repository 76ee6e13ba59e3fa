"""What follows from a signal here and now: an order, waiting a little, or a refusal."""

from decimal import ROUND_FLOOR, Decimal
from typing import TypeAlias

import msgspec

from hydra.trading.exact import multiply, subtract, total
from hydra.trading.exit_rules import ExitRules
from hydra.trading.orders import DecisionKey, Role
from hydra.trading.symbol_book import SymbolBook
from hydra.trading.trade_signals import (
    DayCount,
    SignalAction,
    SignalLimits,
    TradeSignal,
    notional_refusal,
)

STOP_STEP = Decimal("0.01")
"""What a stop of our own is rounded to, away from the price: its risk is not understated."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """An order. `stop_price` and `notional_usd` are of entries alone."""

    quantity: Decimal
    stop_price: Decimal | None = None
    notional_usd: Decimal = Decimal(0)


class Wait(msgspec.Struct, frozen=True):
    """Nothing yet; it is asked again when something has changed, until the signal is too old."""

    why: str


class Refuse(msgspec.Struct, frozen=True):
    """Nothing, ever."""

    why: str


class TakeOut(msgspec.Struct, frozen=True):
    """Nothing yet; these orders of before have to go first."""

    orders: tuple[DecisionKey, ...]
    why: str


Verdict: TypeAlias = Wish | Wait | TakeOut | Refuse


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """What the bot knows when it is asked. `price` None: none that is fresh."""

    price: Decimal | None
    market_open: bool
    window_open: bool
    """The bot's trade window, and long enough before the end of everything."""
    count: DayCount
    """Of the trading day that it is."""


def verdict_on(
    signal: TradeSignal, book: SymbolBook, moment: Moment, limits: SignalLimits, rules: ExitRules
) -> Verdict:
    """What to do about a signal that is in time and allowed (`refusal`)."""
    match signal.action:
        case SignalAction.BUY:
            if moment.price is None or book.session is None:
                return Wait("no fresh price is known")
            return _on_buy(signal, book, moment, limits, rules, moment.price)
        case SignalAction.SELL:
            if not moment.market_open or book.session is None:
                return Wait("the exchange is closed")
            return _on_sale(signal, book)  # at the market, whatever is known of that


def _on_buy(
    signal: TradeSignal,
    book: SymbolBook,
    moment: Moment,
    limits: SignalLimits,
    rules: ExitRules,
    price: Decimal,
) -> Verdict:
    if not moment.window_open:
        return Refuse("it is outside the bot's trade window")
    if book.working:
        return Wait("an order of this symbol is working")
    if book.inventory.position:
        return Refuse(f"it holds {book.inventory.position} already, one position a symbol")
    pays = price if signal.limit_price is None else signal.limit_price
    quantity = signal.quantity
    if quantity is None:
        assert signal.notional_usd is not None, "a buy has one of the two"
        quantity = (signal.notional_usd / max(pays, price)).to_integral_value(ROUND_FLOOR)
    if quantity <= 0:
        return Refuse(f"{signal.notional_usd} USD buy less than one share at {max(pays, price)}")
    stop = rules.stop_price(price).quantize(STOP_STEP, ROUND_FLOOR)
    if signal.stop_price is not None:
        stop = max(stop, signal.stop_price)  # the tighter one: both are in force
    if not 0 < stop < price:
        return Refuse(f"its stop {stop} is not below the price {price}")
    notional = multiply(quantity, max(pays, price))
    too_much = notional_refusal(notional, limits, moment.count)
    if too_much is not None:
        return Refuse(too_much)
    return Wish(quantity=quantity, stop_price=stop, notional_usd=notional)


def _on_sale(signal: TradeSignal, book: SymbolBook) -> Verdict:
    """What an earlier sale does not sell already may be sold beside it."""
    leaving = total(each.left for each in book.leaving)
    left, entries = subtract(book.sellable, leaving), book.working_as(Role.ENTRY)
    if left > 0 and (entries or book.resting):
        # Beside an entry it would be denied, for good; and what that goes on buying be kept.
        in_the_way = (*entries, *book.resting)
        return TakeOut(tuple(each.decision for each in in_the_way), "what is held is to be sold")
    if left > 0:
        return Wish(quantity=left if signal.quantity is None else min(signal.quantity, left))
    if leaving:
        return Refuse("the position is being closed already")
    return Wait("its entry is still working") if entries else Refuse("nothing is held")
