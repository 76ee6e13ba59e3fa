"""How much of a coin one entry buys, at what limit, and what of a position can be sold at all.

The venue trades a pair in steps, and nothing that is worth less than a least value, or more than a
most. Every order goes as a quantity: what it may cost is reserved, compared and recovered by it, so
it has to be known before the order is sent. A notional is turned into one here (decision 7).
"""

from decimal import ROUND_DOWN, Context, Decimal, InvalidOperation

import msgspec

from hydra.trading.exact import add, multiply, percent_of, subtract
from hydra.trading.exit_rules import ExitRules
from hydra.trading.inventory import FifoInventory
from hydra.trading.orders import OrderType, TimeInForce
from hydra.trading.situation import US_EQUITY_PRICE_STEPS, PriceStep

ZERO, ONE = Decimal(0), Decimal(1)
ENTRY_BAND_PCT = Decimal("0.10")
"""So far above the price that was seen, in percent of it, an entry may buy. A coin moves by less in
most minutes: the order trades at once, or the price has run away and it had better not.
"""
ROOM_PCT = Decimal(90)
"""Of the most that an order may be worth: the price goes on while it is on its way."""

# As `hydra.trading.exact`: independent of the thread's context, and an error rather than a guess.
_WHOLE = Context(prec=100, rounding=ROUND_DOWN, traps=[InvalidOperation])
_CHEAPEST_AT = -12
"""Its price is ten to the power of this: cheaper is no price (`bar_checks`)."""

COIN_PRICE_STEPS = (
    PriceStep(ZERO, ONE.scaleb(_CHEAPEST_AT - 4)),
    *(PriceStep(ONE.scaleb(at), ONE.scaleb(at - 4)) for at in range(_CHEAPEST_AT + 1, -2)),
    *(PriceStep(max(each.from_price, ONE.scaleb(-2)), each.step) for each in US_EQUITY_PRICE_STEPS),
)
"""From a cent on as of shares; below, where those would leave no price, four digits behind the
first one. The lowest first.
"""


class CoinTerms(msgspec.Struct, frozen=True, kw_only=True):
    """In which steps the venue trades a pair, and between which values an order of it has to be."""

    quantity_step: Decimal = Decimal("0.000000001")
    price_steps: tuple[PriceStep, ...] = COIN_PRICE_STEPS
    """The lowest first."""
    least_value_usd: Decimal = Decimal(10)
    most_value_usd: Decimal = Decimal(200_000)
    """Also of an order that closes."""

    def whole(self, quantity: Decimal) -> Decimal:
        """Without what is less than a step: never rounded up."""
        return _floored(quantity, self.quantity_step)

    def price_below(self, price: Decimal) -> Decimal | None:
        """The nearest price not above this one at which the venue quotes; None: none is known."""
        steps = [each.step for each in self.price_steps if each.from_price <= price]
        return _floored(price, steps[-1]) if steps else None

    def sellable(self, position: Decimal, price: Decimal | None) -> Decimal:
        """What of a position (signed) an order can be for; the rest is dust. Without a price what
        it is worth is not known, and then it counts. Of a short position all counts.
        """
        if position <= 0:
            return position
        whole = self.whole(position)
        return ZERO if price is not None and self.is_dust(whole, price) else whole

    def part_to_sell(self, sellable: Decimal, price: Decimal | None) -> Decimal:
        """What of it one order may be for. Parts are of one size, so that none is left as dust."""
        room = percent_of(self.most_value_usd, ROOM_PCT)
        if price is None or multiply(sellable, price) <= room:
            return sellable
        parts = _WHOLE.divide_int(multiply(sellable, price), room) + 1
        return self.whole(_WHOLE.divide(sellable, parts))

    def without_dust(self, held: FifoInventory, price: Decimal) -> FifoInventory:
        """What is held, without what was left over before it as dust: that was no position, and
        neither its age nor what it cost says when this one has to be closed. All that is held is
        given back where all of it is dust.
        """
        quantity = ZERO
        for number, lot in enumerate(held.lots):
            quantity = add(quantity, lot.quantity)
            if not self.is_dust(quantity, price):
                return FifoInventory(held.symbol, held.lots[number:])
        return held

    def is_dust(self, quantity: Decimal, price: Decimal) -> bool:
        """Whether so much cannot be traded by an order, because it is worth too little."""
        return multiply(self.whole(quantity), price) < self.least_value_usd


class EntryTerms(msgspec.Struct, frozen=True, kw_only=True):
    """How a bot enters.

    `is_notional`: `notional_usd` is the most that an entry costs, whatever it comes to trade at.
    Otherwise it says how many coins are wanted, at the price that was seen; in the market they may
    cost more, by the band at most where there is a limit.
    """

    order_type: OrderType
    time_in_force: TimeInForce
    notional_usd: Decimal
    is_notional: bool


class CoinEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be bought. `limit_price` None: at the market. `stop`: where it is given up."""

    quantity: Decimal
    limit_price: Decimal | None
    stop: Decimal


def entry_of(
    price: Decimal, wanted: EntryTerms, coin: CoinTerms, exits: ExitRules, fee_share: Decimal
) -> CoinEntry | str:
    """One entry at the price that was seen; or, in words, why there cannot be one.

    `fee_share` of what is bought may be kept by the venue. What is left must be worth enough at the
    stop to be sold there: an entry that could not be left is none.
    """
    dearest = coin.price_below(add(price, percent_of(price, ENTRY_BAND_PCT)))
    stop = coin.price_below(exits.stop_price(price))
    if dearest is None or stop is None or not ZERO < stop < dearest:
        return f"at {price:f} there is no limit or stop on the venue's price steps"
    counted = max(dearest, price) if wanted.is_notional else price
    quantity = coin.whole(_WHOLE.divide(wanted.notional_usd, counted))
    most = multiply(quantity, max(dearest, price))
    if most > coin.most_value_usd:
        return (
            f"one entry of {wanted.notional_usd:f} USD may cost {most:.2f} USD, and the venue takes"
            f" no order of more than {coin.most_value_usd:f}"
        )
    left = coin.whole(multiply(quantity, subtract(Decimal(1), fee_share)))
    if coin.is_dust(left, stop):
        return (
            f"one entry of {wanted.notional_usd:f} USD would be worth"
            f" {multiply(left, stop):.2f} USD at its stop,"
            f" at least {coin.least_value_usd:f} wanted to be sold"
        )
    limit = dearest if wanted.order_type is OrderType.LIMIT else None
    return CoinEntry(quantity=quantity, limit_price=limit, stop=stop)


def _floored(value: Decimal, step: Decimal) -> Decimal:
    return multiply(_WHOLE.divide_int(value, step), step)
