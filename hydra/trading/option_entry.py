"""From a signal to an order for a contract: what to ask for, and what to bid for what was chosen.

An entry is decided on a quote that came after the choice, by the same rules once more: the chain
that it was chosen from is older, and on a busy machine a good deal older.
"""

from datetime import date, timedelta
from decimal import Decimal

import msgspec
from msgspec import structs

from hydra.trading.exact import percent_of
from hydra.trading.exposure import is_price
from hydra.trading.local_time import new_york_date
from hydra.trading.option_exits import PremiumExits, contracts_for
from hydra.trading.option_prices import price_above, steps_of
from hydra.trading.option_rules import (
    ChainContract,
    ChainQuery,
    ChainRules,
    choose_contract,
    printed,
)
from hydra.trading.option_symbols import Right
from hydra.trading.quotes import Quote
from hydra.trading.strategies.strategy import Signal

STRIKES_FROM_PCT, STRIKES_TO_PCT = Decimal(85), Decimal(115)
"""Of the underlying's price. What is farther away has no delta that anybody here wants."""

RIGHT_OF = {Signal.ENTER_LONG: Right.CALL, Signal.ENTER_SHORT: Right.PUT}
"""What is bought for a signal."""
AGAINST = {Right.CALL: (Signal.EXIT_LONG, Signal.ENTER_SHORT), Right.PUT: (Signal.ENTER_LONG,)}
"""The signals on which what is held is closed."""
WANTING = {right: (signal,) for signal, right in RIGHT_OF.items()}
"""Those on which it would be bought."""


class Wanted(msgspec.Struct, frozen=True):
    """The part of a chain that is worth asking for."""

    first: date
    last: date
    strike_from: Decimal
    strike_to: Decimal


class OptionEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An order to buy: limit price and the level at which it is given up, both a share."""

    symbol: str
    quantity: Decimal
    limit_price: Decimal
    protective_stop: Decimal | None


def wanted_of(rules: ChainRules, price: Decimal, at: int) -> Wanted | None:
    """By the rules, the underlying's price and market time; None if that is no price."""
    if not is_price(price):
        return None
    today = new_york_date(at)
    return Wanted(
        first=today + timedelta(days=rules.dte_min),
        last=today + timedelta(days=rules.dte_max),
        strike_from=_cents(percent_of(price, STRIKES_FROM_PCT)),
        strike_to=_cents(percent_of(price, STRIKES_TO_PCT)),
    )


def entry_on(
    contract: ChainContract, quote: Quote, query: ChainQuery, exits: PremiumExits
) -> OptionEntry | str:
    """What to bid on this quote for as many as the budget pays; or why not, in words.

    The bid is the ask, on a step of the contract's prices: it trades at once, or the market has
    gone, and then it is canceled in time rather than followed.
    """
    choice = choose_contract((structs.replace(contract, quote=quote),), query)
    if choice.chosen is None:
        return choice.rejected[0].reason
    limit = price_above(printed(quote.ask), steps_of(contract.in_penny_program))
    quantity = Decimal(0) if limit is None else contracts_for(query.premium_usd_max, limit)
    if limit is None or quantity <= 0:
        return f"{query.premium_usd_max:f} USD do not pay one at {quote.ask:g}"
    stop = exits.stop_price(limit)
    return OptionEntry(
        symbol=contract.symbol,
        quantity=quantity,
        limit_price=limit,
        protective_stop=stop if stop > 0 else None,
    )


def _cents(price: Decimal) -> Decimal:
    return price.quantize(Decimal("0.01"))
