"""Several option orders at once: whichever of them fill, what they may come to is covered."""

from decimal import Decimal
from typing import TypeAlias

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hydra.trading.orders import Side
from hydra.venues.simulated.brokerage.checks.place import first_refusal
from hydra.venues.simulated.brokerage.contracts import OptionContract, Right
from hydra.venues.simulated.brokerage.money import OptionStake, Reserve, account_figures
from hydra.venues.simulated.brokerage.option_book import (
    OptionBook,
    OptionLot,
    Risk,
    WorkingOptions,
    risk_of,
)
from hydra.venues.simulated.brokerage.option_rules import lots_of
from hydra.venues.simulated.brokerage.orders import BrokerOrder
from hydra.venues.simulated.brokerage.requests import Leg, PlaceOrder
from hydra.venues.simulated.brokerage.reserves import reserve_of
from hydra.venues.simulated.brokerage.view import OrderView, SymbolView
from hydra.venues.simulated.brokerage.words import OrderClass
from tests.venues.simulated_broker.checks.situations import (
    contract,
    option_order,
    spread_order,
    view,
    working_order,
)

CONTRACTS: tuple[OptionContract, ...] = tuple(
    contract(strike, right, expiration)
    for expiration in ("2026-12-18", "2026-12-21")
    for strike in ("40", "42.5", "45")
    for right in Right
)
OF_ONE_EXPIRATION = CONTRACTS[: len(CONTRACTS) // 2]
SYMBOLS = {listed.symbol: listed for listed in CONTRACTS}
QUANTITIES = st.integers(1, 3).map(Decimal)


class History(msgspec.Struct, frozen=True):
    """What an account has, what it orders, and which of the orders that are taken fill."""

    cash: Decimal
    held: list[OptionLot]
    shares: Decimal
    orders: list[PlaceOrder]
    fills: list[bool]


def histories(contracts: tuple[OptionContract, ...]) -> st.SearchStrategy[History]:
    symbols = st.sampled_from([listed.symbol for listed in contracts])
    legs = st.builds(
        Leg,
        symbol=symbols,
        ratio_quantity=st.sampled_from([Decimal(1), Decimal(1), Decimal(2)]),
        side=st.sampled_from(Side),
    )
    single = st.builds(
        option_order,
        symbol=symbols,
        side=st.sampled_from(Side),
        quantity=QUANTITIES,
        limit_price=st.decimals("0.01", 3, places=2),
    )
    several = st.builds(
        spread_order,
        legs=st.lists(legs, min_size=2, max_size=4, unique_by=lambda leg: leg.symbol).map(tuple),
        quantity=QUANTITIES,
        limit_price=st.decimals(-3, 3, places=2),
    )
    lots = st.builds(
        OptionLot, st.sampled_from(contracts), st.integers(-3, 3).filter(bool).map(Decimal)
    )
    return st.builds(
        History,
        cash=st.sampled_from([Decimal(1_000), Decimal(20_000), Decimal(500_000)]),
        held=st.lists(lots, max_size=4, unique_by=lambda lot: lot.contract.symbol),
        shares=st.sampled_from([Decimal(0), Decimal(150), Decimal(300)]),
        orders=st.lists(single | several, min_size=1, max_size=6),
        fills=st.lists(st.booleans(), min_size=6, max_size=6),
    )


Taken: TypeAlias = tuple[PlaceOrder, tuple[OptionLot, ...], Reserve]


class Account:
    """Options on one underlying, cash, and the open orders that were taken."""

    def __init__(self, cash: Decimal, held: list[OptionLot], shares: Decimal) -> None:
        self.cash, self.shares, self.held = cash, shares, tuple(held)
        self.open: list[Taken] = []

    def place(self, order: PlaceOrder) -> None:
        """Take it if the checks do."""
        seen = self._view(order)
        if first_refusal(order, seen) is None:
            self.open.append((order, lots_of(order, seen), reserve_of(order, seen)))

    def _view(self, order: PlaceOrder) -> OrderView:
        payout = risk_of(self.held, shares=self.shares).payout
        working = tuple(
            WorkingOptions(str(number), lots) for number, (_, lots, _) in enumerate(self.open)
        )
        return view(
            self._symbol(order.symbol),
            legs=tuple(self._symbol(leg.symbol) for leg in order.legs),
            options=OptionBook(held=self.held, working=working, shares=self.shares),
            figures=account_figures(
                cash=self.cash,
                multiplier=2,
                options=(OptionStake(Decimal(0), Decimal(0), payout),),
                reserves=(reserve for _, _, reserve in self.open),
            ),
        )

    def _symbol(self, symbol: str) -> SymbolView:
        position = sum(lot.quantity for lot in self.held if lot.contract.symbol == symbol)
        return SymbolView(
            symbol=symbol,
            contract=SYMBOLS.get(symbol),
            position=Decimal(position),
            working=tuple(self._working_in(symbol)),
        )

    def _working_in(self, symbol: str) -> list[BrokerOrder]:
        return [
            working_order(
                symbol=symbol,
                side=Side.BUY if lot.quantity > 0 else Side.SELL,
                quantity=abs(lot.quantity),
                limit_price=order.limit_price,
                order_class=OrderClass.MLEG,
            )
            for order, lots, _ in self.open
            for lot in lots
            if lot.contract.symbol == symbol
        ]


@settings(max_examples=80, deadline=None)
@given(histories(OF_ONE_EXPIRATION))
def test_whichever_orders_fill_cash_covers_what_short_options_may_cost(history: History) -> None:
    _cash_covers(history)


@settings(max_examples=80, deadline=None)
@given(histories(CONTRACTS))
def test_whichever_orders_fill_no_call_is_left_naked(history: History) -> None:
    _no_call_is_naked(history)


@pytest.mark.slow
@settings(max_examples=2_000, deadline=None)
@given(histories(OF_ONE_EXPIRATION))
def test_cash_covers_what_short_options_may_cost_in_many_histories(history: History) -> None:
    _cash_covers(history)


@pytest.mark.slow
@settings(max_examples=2_000, deadline=None)
@given(histories(CONTRACTS))
def test_no_call_is_left_naked_in_many_histories(history: History) -> None:
    _no_call_is_naked(history)


def _cash_covers(history: History) -> None:
    account, filled = _played(history)
    after = _risk_after(history, filled)
    paid = sum(_paid(order) for order, _, _ in filled)
    # What only closes short options is never refused for want of money.
    closing = sum(_paid(order) for order, _, reserve in filled if not reserve.value)
    assert account.cash - paid + max(Decimal(0), Decimal(closing)) >= after.payout


def _no_call_is_naked(history: History) -> None:
    _, filled = _played(history)
    assert _risk_after(history, filled).naked_shares == 0


def _played(history: History) -> tuple[Account, list[Taken]]:
    """The account with all its orders placed, and those of them that fill."""
    before = risk_of(history.held, shares=history.shares)
    assume(not before.naked_shares)
    account = Account(history.cash + before.payout, history.held, history.shares)
    for order in history.orders:
        account.place(order)
    fills = zip(account.open, history.fills, strict=False)
    return account, [taken for taken, is_filled in fills if is_filled]


def _risk_after(history: History, filled: list[Taken]) -> Risk:
    lots = (lot for _, lots, _ in filled for lot in lots)
    return risk_of([*history.held, *lots], shares=history.shares)


def _paid(order: PlaceOrder) -> Decimal:
    """What the order costs at its limit, below zero for what it brings."""
    assert order.quantity is not None and order.limit_price is not None
    sign = -1 if order.side is Side.SELL else 1
    return sign * order.quantity * order.limit_price * 100
