"""The situation that an order meets, put together from the books."""

from collections.abc import Iterator
from decimal import Decimal

from hydra.trading.exact import add, multiply, subtract
from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.availability import Availability, availability, remaining
from hydra.venues.simulated.brokerage.books import Books
from hydra.venues.simulated.brokerage.checks.quantity import not_available
from hydra.venues.simulated.brokerage.hours import hours_at
from hydra.venues.simulated.brokerage.option_book import OptionBook, OptionLot, WorkingOptions
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.refusals import Refusal
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.valuation import figures_of, held_options
from hydra.venues.simulated.brokerage.view import OrderView, SymbolView
from hydra.venues.simulated.brokerage.words import AssetClass


def situation_of(
    request: PlaceOrder,
    books: Books,
    *,
    replaced: BrokerOrder | None = None,
    closes_position: bool = False,
) -> OrderView:
    """What the checks may know. An order that is replaced is left out, and its group with it."""
    left_out = frozenset[str]() if replaced is None else _group_of(replaced, books)
    working = tuple(o for o in books.orders.open_orders() if o.id not in left_out)
    legs = tuple(_symbol_view(leg.symbol, working, books) for leg in request.legs)
    subject = _symbol_view(request.symbol, working, books)
    contracts = [seen.contract for seen in (*legs, subject) if seen.contract is not None]
    stock = contracts[0].underlying if contracts else request.symbol
    is_coin = subject.asset is not None and subject.asset.asset_class is AssetClass.CRYPTO
    name = request.client_order_id
    return OrderView(
        at=books.now,
        hours=hours_at(books.sessions, books.now),
        standing=books.standing,
        configuration=books.configuration,
        figures=figures_of(books, left_out=left_out),
        subject=subject,
        legs=legs,
        underlying=None if is_coin else _symbol_view(stock, working, books),
        options=OptionBook() if is_coin else _option_book(stock, working, books),
        client_order_id_used=name is not None and books.orders.by_client_id(name) is not None,
        replaced=replaced,
        closes_position=closes_position,
    )


def available(symbol: str, books: Books) -> Availability:
    """How much of a position is free to be closed: what is to be exercised is not."""
    working = tuple(order for order in books.orders.open_orders() if order.symbol == symbol)
    position = books.holdings.quantity(symbol)
    found = availability(position, working, books.last_price(symbol))
    kept = min(found.free, books.exercises.get(symbol, Decimal(0)))
    return Availability(subtract(found.free, kept), add(found.held, kept), found.holders)


def refusal_of_selling_what_is_exercised(request: PlaceOrder, books: Books) -> Refusal | None:
    """Contracts whose exercise was asked for cannot be sold any more."""
    sales = [(request.symbol, request.side, request.quantity)]
    for leg in request.legs:
        quantity = request.quantity
        if quantity is not None:
            sales.append((leg.symbol, leg.side, multiply(quantity, leg.ratio_quantity)))
    for symbol, side, quantity in sales:
        if symbol in books.exercises and side is Side.SELL and quantity is not None:
            found = available(symbol, books)
            if quantity > found.free:
                return not_available(symbol, quantity, books.holdings.quantity(symbol), found)
    return None


def _group_of(order: BrokerOrder, books: Books) -> frozenset[str]:
    parent = order if order.parent is None else books.orders[order.parent]
    return frozenset({parent.id, *parent.legs})


def _symbol_view(symbol: str, working: tuple[BrokerOrder, ...], books: Books) -> SymbolView:
    asset = books.market.asset(symbol)
    return SymbolView(
        symbol=symbol,
        asset=asset,
        contract=books.market.contract(symbol) if asset is None else None,
        quote=books.market.quote(symbol, books.now),
        position=books.holdings.quantity(symbol),
        working=tuple(order for order in working if order.symbol == symbol),
    )


def _option_book(stock: str, working: tuple[BrokerOrder, ...], books: Books) -> OptionBook:
    shares = books.holdings.quantity(stock)
    quote = books.market.quote(stock, books.now)
    for order in working:
        if order.symbol == stock and order.side is Side.SELL:
            left = remaining(order, None if quote is None else quote.bid)
            shares = Decimal(0) if left is None else subtract(shares, left)
    held = tuple(
        OptionLot(contract, holding.quantity)
        for holding, contract in held_options(books)
        if contract.underlying == stock
    )
    return OptionBook(
        held=held,
        working=tuple(_working_options(stock, working, books)),
        shares=max(Decimal(0), shares),
    )


def _working_options(
    stock: str, working: tuple[BrokerOrder, ...], books: Books
) -> Iterator[WorkingOptions]:
    for whole in working:
        if whole.parent is not None:
            continue
        lots: list[OptionLot] = []
        for order in [books.orders[leg] for leg in whole.legs] or [whole]:
            contract = books.market.contract(order.symbol)
            left = remaining(order, None)
            if order.side is None or left is None or contract is None:
                continue
            if contract.underlying == stock:
                lots.append(OptionLot(contract, multiply(Decimal(order.side.sign), left)))
        if lots:
            yield WorkingOptions(whole.id, tuple(lots))
