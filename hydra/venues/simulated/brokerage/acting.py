"""How acts are done: what an honest broker does not do, or does not do by itself."""

from decimal import Decimal
from typing import assert_never

from msgspec import structs

from hydra.trading.exact import add, total
from hydra.trading.sessions import SessionTable
from hydra.venues.simulated.brokerage.acts import (
    Act,
    AssignOption,
    BustExecution,
    ChangeCash,
    CloseEarly,
    CorrectExecution,
    DriftPosition,
    FillAfterCancel,
    FillInParts,
    FillOrder,
    ForeignOrder,
    HaltSymbol,
    HoldCancels,
    RejectCancels,
    RejectLate,
    RejectReplacements,
    ReleaseCancels,
    RestrictAccount,
    ResumeSymbol,
    SplitSymbol,
)
from hydra.venues.simulated.brokerage.arming import Armed
from hydra.venues.simulated.brokerage.assets import Asset
from hydra.venues.simulated.brokerage.bookings import Bookings
from hydra.venues.simulated.brokerage.books import Books, Split, Trade
from hydra.venues.simulated.brokerage.checks.assets import ASSET
from hydra.venues.simulated.brokerage.checks.check import first_of
from hydra.venues.simulated.brokerage.checks.syntax import SYNTAX
from hydra.venues.simulated.brokerage.contracts import OptionContract
from hydra.venues.simulated.brokerage.desk import Desk
from hydra.venues.simulated.brokerage.floor import Floor
from hydra.venues.simulated.brokerage.lives import OrderLives
from hydra.venues.simulated.brokerage.options_desk import OptionsDesk
from hydra.venues.simulated.brokerage.orders import BrokerOrder, TradeUpdate
from hydra.venues.simulated.brokerage.placing import orders_of
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.situations import situation_of
from hydra.venues.simulated.brokerage.words import Status, UpdateEvent


class Acting:
    """Each act is done at once, or armed. What cannot be done is a ValueError, one line why."""

    def __init__(
        self,
        books: Books,
        bookings: Bookings,
        lives: OrderLives,
        floor: Floor,
        desk: Desk,
        options: OptionsDesk,
    ) -> None:
        self._books = books
        self._bookings = bookings
        self._lives = lives
        self._floor = floor
        self._desk = desk
        self._options = options

    def do(self, act: Act) -> None:
        """Do it."""
        match act:
            case HaltSymbol(symbol=symbol):
                self._floor.halt(self._named(symbol).symbol)
            case ResumeSymbol(symbol=symbol):
                self._floor.resume(self._named(symbol).symbol)
            case RejectLate(order_id=order_id) if order_id is not None:
                self._reject(order_id, act.reason)
            case (
                RejectLate()
                | HoldCancels()
                | RejectCancels()
                | RejectReplacements()
                | FillAfterCancel()
                | FillInParts()
            ):
                self._arm(act)
            case ReleaseCancels():
                self._desk.release_cancels()
            case FillOrder():
                self._fill(act)
            case BustExecution(execution_id=execution_id):
                self._bust(execution_id)
            case CorrectExecution():
                self._correct(act)
            case ForeignOrder(order=order):
                self._place_foreign(order)
            case DriftPosition():
                self._drift(act)
            case ChangeCash():
                self._change_cash(act)
            case RestrictAccount():
                self._restrict(act)
            case CloseEarly():
                self._close_early(act)
            case SplitSymbol():
                self._split(act)
            case AssignOption():
                self._assign(act)
            case _:
                assert_never(act)

    def _arm(self, act: Armed) -> None:
        shares = act.shares if isinstance(act, FillInParts) else (Decimal(1),)
        if act.times < 1 or not all(share > 0 for share in shares) or total(shares) > 1:
            raise ValueError(f"{act}: wanted at least one time, and shares over 0 of at most 1")
        self._books.arming.arm(act)

    def _place_foreign(self, order: PlaceOrder) -> None:
        """Nobody asks whether the account may; but it must be an order, of something there is."""
        situation = situation_of(order, self._books)
        refusal = first_of(SYNTAX, order, situation) or first_of(ASSET, order, situation)
        if refusal is not None:
            raise ValueError(f"foreign order: {refusal.message}")
        self._desk.take(*orders_of(order, self._books))

    def _reject(self, order_id: str, reason: str) -> None:
        order = self._order(order_id)
        if order.status.is_terminal or order.filled_quantity:
            raise ValueError(
                f"order {order_id} is {order.status.value} with {order.filled_quantity} filled;"
                " only what is open and has nothing filled can be rejected"
            )
        self._lives.end(order_id, Status.REJECTED, reason)

    def _fill(self, act: FillOrder) -> None:
        order = self._order(act.order_id)
        if not (act.quantity > 0 and act.price > 0):
            raise ValueError(f"{act.quantity} at {act.price}: wanted both over 0")
        if order.side is None:
            raise ValueError(f"order {act.order_id} has several legs; fill the legs")
        if order.quantity is None:
            self._lives.resize(order.id, act.quantity)
        self._lives.execute(act.order_id, act.quantity, act.price)
        self._floor.meet_arrivals()

    def _bust(self, execution_id: str) -> None:
        old = self._trade(execution_id)
        new = self._bookings.correct(execution_id, Decimal(0), old.price)
        self._tell_of(old, new, UpdateEvent.TRADE_BUST, -old.quantity)

    def _correct(self, act: CorrectExecution) -> None:
        old = self._trade(act.execution_id)
        quantity = old.quantity if act.quantity is None else act.quantity
        if not (quantity > 0 and act.price > 0):
            raise ValueError(f"{quantity} at {act.price}: wanted both over 0")
        new = self._bookings.correct(act.execution_id, quantity, act.price)
        self._tell_of(old, new, UpdateEvent.TRADE_CORRECT, quantity)

    def _tell_of(self, old: Trade, new: Trade, event: UpdateEvent, quantity: Decimal) -> None:
        """The order stays as it is: what it had filled is what the correction is about."""
        books = self._books
        books.told.append(
            TradeUpdate(
                event=event,
                order=books.orders[old.order_id],
                at=books.now,
                execution_id=new.execution_id,
                price=new.price,
                quantity=quantity,
                position_quantity=books.holdings.quantity(old.symbol),
                previous_execution_id=old.execution_id,
            )
        )

    def _drift(self, act: DriftPosition) -> None:
        named = self._named(act.symbol)
        multiplier = named.multiplier if isinstance(named, OptionContract) else 1
        price = act.price or self._books.last_price(named.symbol) or Decimal(0)
        self._books.holdings.adjust(named.symbol, act.quantity, price, multiplier)
        if act.activity:
            self._bookings.write(
                act.activity, "Journal", symbol=named.symbol, quantity=act.quantity, price=price
            )

    def _change_cash(self, act: ChangeCash) -> None:
        holdings = self._books.holdings
        holdings.cash = add(holdings.cash, act.amount)
        if act.activity:
            self._bookings.write(
                act.activity, act.description, net_amount=act.amount, symbol=act.symbol
            )

    def _restrict(self, act: RestrictAccount) -> None:
        changes = {name: value for name, value in structs.asdict(act).items() if value is not None}
        self._books.standing = structs.replace(self._books.standing, **changes)

    def _close_early(self, act: CloseEarly) -> None:
        books = self._books
        session = books.sessions.of_date(act.date.isoformat())
        if session is None or not max(session.open_at, books.now) < act.at < session.close_at:
            raise ValueError(
                f"session {act.date}: found {session}; an early close must be later than now and"
                " within an open session that was to close later"
            )
        earlier = structs.replace(session, close_at=act.at, early_close=True)
        books.sessions = SessionTable(
            tuple(earlier if one == session else one for one in books.sessions.sessions)
        )
        for order in books.orders.open_orders():
            if order.expires_at == session.close_at:
                books.orders.put(structs.replace(order, expires_at=act.at))

    def _split(self, act: SplitSymbol) -> None:
        books = self._books
        symbol = self._named(act.symbol).symbol
        if act.new < 1 or act.old < 1:
            raise ValueError(f"split {act.new}:{act.old}, wanted whole numbers over 0")
        for order in books.orders.open_orders():
            if order.symbol == symbol and not books.orders[order.id].status.is_terminal:
                self._lives.end(order.id, Status.CANCELED, "stock split")
        grown = books.holdings.split(symbol, act.new, act.old)
        books.splits.append(Split(symbol, books.now, act.new, act.old))
        if grown:
            description = f"Stock Split {act.new}:{act.old}"
            self._bookings.write("SPLIT", description, symbol=symbol, quantity=grown)

    def _assign(self, act: AssignOption) -> None:
        contract = self._books.market.contract(act.contract)
        short = Decimal(0)
        if contract is not None:
            short = -self._books.holdings.quantity(contract.symbol)
        if contract is None or not 0 < act.quantity <= short:
            raise ValueError(
                f"assignment of {act.quantity} {act.contract}: {max(short, Decimal(0))} are short"
            )
        self._options.assign(contract, act.quantity)

    def _order(self, order_id: str) -> BrokerOrder:
        order = self._books.orders.find(order_id)
        if order is None:
            raise ValueError(f"no order {order_id}")
        return order

    def _trade(self, execution_id: str) -> Trade:
        trade = self._books.trades.get(execution_id)
        if trade is None:
            raise ValueError(f"no execution {execution_id}, or it was busted or corrected before")
        return trade

    def _named(self, symbol: str) -> Asset | OptionContract:
        named = self._books.asset_or_contract(symbol)
        if named is None:
            raise ValueError(f"no asset and no option contract {symbol!r} in this market")
        return named
