"""What the account is worth, and its figures, put together from the books."""

from collections.abc import Iterator
from decimal import Decimal

from hydra.trading.exact import add, multiply, subtract, total
from hydra.venues.simulated.brokerage.account_sheet import AccountSheet
from hydra.venues.simulated.brokerage.books import Books
from hydra.venues.simulated.brokerage.contracts import OptionContract
from hydra.venues.simulated.brokerage.holdings import Holding
from hydra.venues.simulated.brokerage.ids import uuid_of
from hydra.venues.simulated.brokerage.money import (
    AccountFigures,
    OptionStake,
    Reserve,
    Stake,
    account_figures,
)
from hydra.venues.simulated.brokerage.option_book import OptionLot, risk_of
from hydra.venues.simulated.brokerage.option_rules import SPREADS_LEVEL
from hydra.venues.simulated.brokerage.reserves import own_rate_pct


def figures_of(
    books: Books, *, left_out: frozenset[str] = frozenset(), at: int | None = None
) -> AccountFigures:
    """The account's figures at the prices shown `at` (UTC ns; None: now).

    What the orders `left_out` tie up is left out.
    """
    at = books.now if at is None else at
    return account_figures(
        cash=books.holdings.cash,
        multiplier=_multiplier_of(books),
        stakes=_stakes(books, at),
        options=_option_stakes(books, at),
        reserves=_reserves(books, left_out),
    )


def sheet_of(books: Books) -> AccountSheet:
    """The account as it is shown."""
    figures, standing, terms = figures_of(books), books.standing, books.terms
    return AccountSheet(
        id=uuid_of(terms.seed, "account", terms.account_number),
        account_number=terms.account_number,
        created_at=terms.created_at,
        status=standing.status,
        crypto_status=standing.crypto_status,
        cash=figures.cash,
        equity=figures.equity,
        last_equity=books.last_equity,
        buying_power=figures.buying_power,
        regt_buying_power=figures.regt_buying_power,
        non_marginable_buying_power=figures.non_marginable_buying_power,
        options_buying_power=figures.options_buying_power,
        long_market_value=figures.long_market_value,
        short_market_value=figures.short_market_value,
        initial_margin=figures.initial_margin,
        maintenance_margin=figures.maintenance_margin,
        last_maintenance_margin=books.last_maintenance_margin,
        sma=figures.sma,
        accrued_fees=Decimal(0),
        multiplier=figures.multiplier,
        options_approved_level=standing.options_level,
        options_trading_level=options_level_of(books),
        shorting_enabled=standing.shorting_enabled and not books.configuration.no_shorting,
        trading_blocked=standing.trading_blocked,
        account_blocked=standing.account_blocked,
        trade_suspended_by_user=books.configuration.suspend_trade,
        balance_asof=books.balance_asof,
    )


def value_of(holding: Holding, books: Books, at: int) -> Decimal:
    """What a holding is worth in USD at the last price seen at `at`; what it cost, if none was."""
    quote = books.market.quote(holding.symbol, at)
    if quote is None:
        return holding.cost
    return multiply(multiply(holding.quantity, quote.last), Decimal(holding.multiplier))


def equity_at(books: Books, at: int) -> Decimal:
    """Cash and holdings at the prices shown at `at`."""
    values = total(value_of(holding, books, at) for holding in books.holdings)
    return add(books.holdings.cash, values)


def options_level_of(books: Books) -> int:
    """The options level in force: what was approved, or less if the owner wants less."""
    wanted, approved = books.configuration.max_options_trading_level, books.standing.options_level
    return approved if wanted is None else min(approved, wanted)


def held_options(books: Books) -> Iterator[tuple[Holding, OptionContract]]:
    """Every option that is held, with its contract."""
    for holding in books.holdings:
        contract = books.market.contract(holding.symbol)
        if contract is not None:
            yield holding, contract


def _multiplier_of(books: Books) -> int:
    return min(books.terms.multiplier, int(books.configuration.max_margin_multiplier))


def _stakes(books: Books, at: int) -> Iterator[Stake]:
    for holding in books.holdings:
        asset = books.market.asset(holding.symbol)
        if asset is not None:
            yield Stake(value_of(holding, books, at), own_rate_pct(asset))


def _option_stakes(books: Books, at: int) -> Iterator[OptionStake]:
    longs_cover = options_level_of(books) >= SPREADS_LEVEL
    by_stock: dict[str, list[tuple[Decimal, OptionLot]]] = {}
    for holding, contract in held_options(books):
        lot = OptionLot(contract, holding.quantity)
        valued = (value_of(holding, books, at), lot)
        by_stock.setdefault(contract.underlying, []).append(valued)
    for lots in by_stock.values():
        yield OptionStake(
            long_value=total(value for value, _ in lots if value > 0),
            short_value=total(value for value, _ in lots if value < 0),
            payout=risk_of((lot for _, lot in lots), longs_cover).payout,
        )


def _reserves(books: Books, left_out: frozenset[str]) -> Iterator[Reserve]:
    for order in books.orders.open_orders():
        reserve = books.reserves.get(order.id)
        if reserve is None or order.id in left_out:
            continue
        whole, done = order.quantity, order.filled_quantity
        if order.notional is not None:
            whole, done = order.notional, order.filled_value
        if not done:
            yield reserve
        elif whole is not None:
            yield reserve.rest(max(Decimal(0), subtract(whole, done)), whole)
