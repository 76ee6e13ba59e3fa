"""Positions as the broker shows them, from holdings and prices."""

from decimal import Context, Decimal

from hydra.trading.exact import multiply, subtract
from hydra.venues.simulated.brokerage.assets import Asset
from hydra.venues.simulated.brokerage.books import Books
from hydra.venues.simulated.brokerage.holdings import Holding
from hydra.venues.simulated.brokerage.positions import Position
from hydra.venues.simulated.brokerage.situations import available
from hydra.venues.simulated.brokerage.timetable import last_session_before
from hydra.venues.simulated.brokerage.words import AssetClass


def position_of(holding: Holding, books: Books) -> Position | None:
    """The holding as a position; None if the market does not know the symbol any more."""
    named = books.asset_or_contract(holding.symbol)
    if named is None:
        return None
    price = books.last_price(holding.symbol)
    value = None
    if price is not None:
        value = multiply(multiply(holding.quantity, price), Decimal(holding.multiplier))
    free = available(holding.symbol, books).free
    return Position(
        asset_id=named.id,
        symbol=holding.symbol,
        exchange=named.exchange if isinstance(named, Asset) else "",
        asset_class=named.asset_class if isinstance(named, Asset) else AssetClass.OPTION,
        marginable=named.marginable if isinstance(named, Asset) else True,
        quantity=holding.quantity,
        quantity_available=free if holding.quantity > 0 else -free,
        average_entry_price=holding.average_price,
        cost_basis=holding.cost,
        market_value=value,
        unrealized_pl=None if value is None else subtract(value, holding.cost),
        unrealized_intraday_pl=None if value is None else subtract(value, holding.day_cost),
        intraday_cost_basis=holding.day_cost,
        current_price=price,
        lastday_price=lastday_price(holding.symbol, books),
    )


def lastday_price(symbol: str, books: Books) -> Decimal | None:
    """The last price of the newest session that is over, in today's shares."""
    session = last_session_before(books.sessions, books.now)
    if session is None:
        return None
    quote = books.market.quote(symbol, session.close_at - 1)
    if quote is None:
        return None
    price = quote.last
    for split in books.splits:
        if split.symbol == symbol and split.at >= session.close_at:
            price = _LONG.divide(multiply(price, Decimal(split.old)), Decimal(split.new))
    return price


_LONG = Context(prec=28)
