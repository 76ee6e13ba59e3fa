"""What the broker's rules about options say of an order: its effect, its intent, its level."""

from decimal import Decimal

from hydra.trading.exact import multiply
from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.amounts import is_multiple
from hydra.venues.simulated.brokerage.contracts import OptionContract
from hydra.venues.simulated.brokerage.option_book import OptionLot
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.view import OrderView
from hydra.venues.simulated.brokerage.words import OrderClass, PositionIntent

COVERED_SALES_LEVEL = 1
"""Calls against shares, puts against cash."""
PURCHASES_LEVEL = 2
SPREADS_LEVEL = 3


def inferred_intent(side: Side, position: Decimal) -> PositionIntent:
    """What an order on this side does to a position: no order passes through zero."""
    if side is Side.BUY:
        return PositionIntent.BUY_TO_CLOSE if position < 0 else PositionIntent.BUY_TO_OPEN
    return PositionIntent.SELL_TO_CLOSE if position > 0 else PositionIntent.SELL_TO_OPEN


def opens(intent: PositionIntent) -> bool:
    """Whether it creates or enlarges a position."""
    return intent in (PositionIntent.BUY_TO_OPEN, PositionIntent.SELL_TO_OPEN)


def trading_level(view: OrderView) -> int:
    """The options level in force: what was approved, or less if the owner wants less."""
    wanted = view.configuration.max_options_trading_level
    approved = view.standing.options_level
    return approved if wanted is None else min(approved, wanted)


def longs_cover(view: OrderView) -> bool:
    """Whether long options may cover short ones, as in a spread."""
    return trading_level(view) >= SPREADS_LEVEL


def level_wanted(intent: PositionIntent) -> int:
    """The level that an order in one contract needs; 0: what closes is for every account."""
    match intent:
        case PositionIntent.BUY_TO_OPEN:
            return PURCHASES_LEVEL
        case PositionIntent.SELL_TO_OPEN:
            return COVERED_SALES_LEVEL
        case PositionIntent.BUY_TO_CLOSE | PositionIntent.SELL_TO_CLOSE:
            return 0


def lots_of(order: PlaceOrder, view: OrderView) -> tuple[OptionLot, ...]:
    """What the order adds to the account when it fills; nothing for an unknown contract."""
    quantity = order.quantity or Decimal(0)
    if order.order_class is OrderClass.MLEG:
        return tuple(
            OptionLot(seen.contract, multiply(_signed(leg.side, quantity), leg.ratio_quantity))
            for leg, seen in zip(order.legs, view.legs, strict=True)
            if seen.contract is not None
        )
    if view.subject.contract is None or order.side is None:
        return ()
    return (OptionLot(view.subject.contract, _signed(order.side, quantity)),)


def price_step(contract: OptionContract, price: Decimal) -> Decimal:
    """The smallest difference between two prices: below $3, and from there on."""
    cheap = price.copy_abs() < _CHEAP
    if contract.in_penny_program:
        return _ONE_CENT if cheap else _FIVE_CENTS
    return _FIVE_CENTS if cheap else _TEN_CENTS


def reason_to_reject_late(order: PlaceOrder, view: OrderView) -> str | None:
    """What only the market finds wrong with an order that the broker has taken.

    The price of a multi-leg order is a difference, and may be any whole cent.
    """
    contract = view.subject.contract
    if contract is None:
        return None
    for name, price in (("limit_price", order.limit_price), ("stop_price", order.stop_price)):
        if price is not None and not is_multiple(price, price_step(contract, price)):
            step = price_step(contract, price)
            return f"invalid {name} {price}: the contract trades in steps of {step}"
    return None


def _signed(side: Side, quantity: Decimal) -> Decimal:
    return quantity if side is Side.BUY else quantity.copy_negate()


_CHEAP = Decimal(3)
_ONE_CENT = Decimal("0.01")
_FIVE_CENTS = Decimal("0.05")
_TEN_CENTS = Decimal("0.10")
