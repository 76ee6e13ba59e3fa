"""The covered account with nothing kept: at every look the plain functions match all of it.

And an exit desk on it that asks after every position at every look. What they find is what the
engine's own, which go by what has changed, have to find.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from msgspec import structs

from hydra.trading.account_picture import Execution, KnownOrder, as_of, unseen
from hydra.trading.coin_orders import CoinTerms
from hydra.trading.coverage import Attribution, ExitCoverage, exit_coverage
from hydra.trading.covered_symbol import Place
from hydra.trading.exact import add, subtract
from hydra.trading.exit_desk import ExitDesk
from hydra.trading.exit_plans import ExitTerms
from hydra.trading.fees import Fee
from hydra.trading.inventory import FifoInventory, FillBook
from hydra.trading.order_life import Attempted, OrderEvent, OrderState, after
from hydra.trading.orders import DecisionKey, Fill, Order
from hydra.trading.protection import Guard, ProtectionTerms
from hydra.trading.sub_ledgers import BotInventory
from hydra.trading.trading_state import Cause, TradingState, state_for
from hydra.trading.venue_view import VenueSnapshot

ZERO = Decimal(0)


class PlainAccount:
    """It is told and asked as `CoveredAccount` is."""

    def __init__(self, terms: ProtectionTerms, coins: Mapping[str, CoinTerms]) -> None:
        self.terms, self.coins = terms, coins
        self.books: dict[Place, FillBook] = {}
        self.orders: dict[str, KnownOrder] = {}
        self.approved_since: set[str] = set()
        self.executions: list[Execution] = []
        self.excluded: Mapping[str, Decimal] = {}
        self.excluded_orders: frozenset[str] = frozenset()
        self.reading: VenueSnapshot | None = None
        self.guards: dict[Place, dict[str, Guard]] = {}
        self.own_guards: tuple[Guard, ...] = ()
        self.prices: dict[str, Decimal] = {}
        self.causes: tuple[Cause, ...] = ()

    def asked_for_record(self) -> None:
        self.approved_since.clear()

    def recover(
        self,
        orders: Iterable[tuple[DecisionKey, OrderState]],
        held: Iterable[BotInventory],
        excluded: Mapping[str, Decimal],
        excluded_orders: frozenset[str] = frozenset(),
    ) -> None:
        self.books, self.excluded = {}, dict(excluded)
        self.excluded_orders = excluded_orders
        for each in held:
            self._book((each.bot, each.inventory.symbol)).inventory = each.inventory
        before, self.orders = self.orders, {}
        for decision, state in orders:
            known = before.get(state.order.client_order_id)
            self.know(
                KnownOrder(
                    decision=decision,
                    state=state,
                    changed_at=0 if known is None else known.changed_at,
                )
            )
        for name in before:
            if name in self.approved_since:
                self.orders.setdefault(name, before[name])

    def approved(self, decision: DecisionKey, order: Order, at: int) -> None:
        if order.client_order_id not in self.orders:
            state = after(OrderState(order=order), Attempted())
            self.approved_since.add(order.client_order_id)
            self.know(KnownOrder(decision=decision, state=state, changed_at=at))

    def know(self, order: KnownOrder) -> None:
        self.orders[order.state.order.client_order_id] = order

    def learned(
        self, decision: DecisionKey, name: str, event: OrderEvent, fee: Fee | None, at: int
    ) -> None:
        if isinstance(event, Fill):
            self.executions.append(Execution(event, fee))
            self._book((decision.bot, event.symbol)).book(event, fee)
        known = self.orders.get(name)
        if known is not None:
            state = after(known.state, event)
            self.know(structs.replace(known, state=state, changed_at=at))

    def looked(self, guard: Guard) -> bool:
        guards = self.guards.setdefault((guard.bot, guard.symbol), {})
        before = guards.get(guard.name)
        if guard.quantity:
            guards[guard.name] = guard
        else:
            guards.pop(guard.name, None)
        return before is None or before.quantity != guard.quantity

    def forget_guards(self, bot: str) -> None:
        self.guards = {place: each for place, each in self.guards.items() if place[0] != bot}

    def watch(self, guards: Iterable[Guard]) -> None:
        self.own_guards = tuple(guards)

    def priced(self, symbol: str, price: Decimal) -> None:
        self.prices[symbol] = price

    def read(self, reading: VenueSnapshot) -> None:
        self.reading = reading
        self.executions = list(unseen(reading, self.executions))
        listed = {each.order.client_order_id for each in reading.orders if each.status.is_open}
        self.orders = {
            name: each
            for name, each in self.orders.items()
            if each.state.status.is_open or name in listed
        }
        self.approved_since &= self.orders.keys()

    @property
    def positions(self) -> dict[Place, Decimal]:
        held = {place: self._sellable(place) for place in self.books}
        return {place: position for place, position in held.items() if position}

    @property
    def held(self) -> dict[Place, Decimal]:
        return self.positions

    def inventory(self, place: Place) -> FifoInventory | None:
        return self.books[place].inventory if place in self.books else None

    def places_in(self, symbol: str) -> list[Place]:
        return [place for place in self.books if place[1] == symbol]

    def held_in(self, symbol: str) -> Mapping[Place, Decimal]:
        return {place: held for place, held in self.positions.items() if place[1] == symbol}

    def guards_of(self, place: Place) -> Iterable[Guard]:
        return self.guards.get(place, {}).values()

    def working(self, place: Place) -> list[KnownOrder]:
        return [
            each
            for each in self.orders.values()
            if (each.decision.bot, each.state.order.symbol) == place and each.state.status.is_open
        ]

    @property
    def unseen(self) -> ExitCoverage:
        return exit_coverage(None, (), None, self.terms, 0)

    def coverage(self, at: int) -> ExitCoverage:
        picture = None
        if self.reading is not None:
            picture = as_of(at, self.reading, self.orders, self.executions)
        excluded = dict(self.excluded)
        for place, book in self.books.items():
            dust = subtract(book.position, self._sellable(place))
            if dust:
                excluded[place[1]] = add(excluded.get(place[1], ZERO), dust)
        whose = Attribution(
            positions=self.positions,
            decisions={name: each.decision for name, each in self.orders.items()},
            excluded=excluded,
            excluded_orders=self.excluded_orders,
        )
        told = [guard for guards in self.guards.values() for guard in guards.values()]
        guards = (*told, *self.own_guards)
        halted = {
            (guard.bot, guard.symbol)
            for guard in guards
            if state_for(self.causes, guard.bot, guard.symbol) is TradingState.HALTED
        }
        return exit_coverage(picture, guards, whose, self.terms, at, halted=halted)

    def _book(self, place: Place) -> FillBook:
        return self.books.setdefault(place, FillBook(place[1]))

    def _sellable(self, place: Place) -> Decimal:
        position, coin = self.books[place].position, self.coins.get(place[1])
        return position if coin is None else coin.sellable(position, self.prices.get(place[1]))


class PlainDesk(ExitDesk):
    """It goes by the plain account, and takes nobody to be looked after without asking."""

    def __init__(self, terms: ExitTerms, at: int) -> None:
        super().__init__(terms, at)
        self.plain = PlainAccount(terms.protection, terms.coins)
        self._account = self.plain  # type: ignore[assignment]  # told and asked alike

    def _doubtful(self, at: int, now: int) -> set[Place]:
        return set(self.positions)
