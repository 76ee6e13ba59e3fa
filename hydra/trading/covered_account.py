"""Exit coverage of the account from moment to moment, at the cost of what has changed.

What is found of a symbol depends on that symbol alone: on what the venue showed of it, on our
orders, executions, positions and guards of it, on what stands against trading, and on the time. So
each symbol is matched by itself, and again only if something of it was told or its time has come.
What was found is, value for value, what `exit_coverage` finds of the whole account; where that
cannot be had symbol by symbol, the whole account is what is matched.

Times are market time (UTC ns). No clock, no I/O.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import chain

from msgspec import structs

from hydra.trading.account_picture import Execution, KnownOrder, as_of, by_symbol, unseen
from hydra.trading.coin_orders import CoinTerms
from hydra.trading.coverage import Attribution, ExitCoverage, exit_coverage
from hydra.trading.coverage_times import NEVER
from hydra.trading.covered_symbol import NOTHING_FOUND, CoveredSymbol, Place, halted_places
from hydra.trading.exact import add
from hydra.trading.fees import Fee
from hydra.trading.inventory import FifoInventory, FillBook
from hydra.trading.name_ties import NameTies
from hydra.trading.order_life import Attempted, OrderEvent, OrderState, after
from hydra.trading.orders import DecisionKey, Fill, Order
from hydra.trading.protection import Guard, ProtectionTerms
from hydra.trading.sub_ledgers import BotInventory
from hydra.trading.trading_state import Cause
from hydra.trading.venue_view import VenueSnapshot

ZERO = Decimal(0)
NOTHING_HELD: Mapping[Place, Decimal] = {}


class CoveredAccount:
    """Told what is on record, what the venue shows, and which guards look."""

    def __init__(self, terms: ProtectionTerms, coins: Mapping[str, CoinTerms]) -> None:
        self._terms = terms
        self._coins = coins
        self._books: dict[Place, FillBook] = {}
        self._orders: dict[str, KnownOrder] = {}
        self._approved_since: set[str] = set()
        """Orders, by name, that were approved since the record was last asked for."""
        self._executions: list[Execution] = []
        self._excluded: Mapping[str, Decimal] = {}
        self._excluded_orders: frozenset[str] = frozenset()
        self._reading: VenueSnapshot | None = None
        self._shows_nothing: VenueSnapshot | None = None
        """The reading, for a symbol that it shows nothing of."""
        self._causes: tuple[Cause, ...] = ()
        self._symbols: dict[str, CoveredSymbol] = {}
        self._found_in: dict[str, ExitCoverage] = {}
        """What was found of each symbol, where that is anything."""
        self._held: dict[Place, Decimal] = {}
        self._held_in: dict[str, Mapping[Place, Decimal]] = {}
        """The same by symbol, as far as anything is held of it."""
        self._watched: set[str] = set()
        """Symbols that are watched from here."""
        self._changed: set[str] = set()
        """Symbols to be matched."""
        self._unread: set[str] = set()
        """Symbols of which something is no number."""
        self._since, self._until = NEVER, 0
        """All that was found holds between these, if nothing is told; it may hold for longer."""
        self._ties = NameTies()
        self._found: ExitCoverage | None = None
        self.unseen = exit_coverage(None, (), None, terms, 0)
        """What is said of an account that is not seen."""

    # What is told

    def take(self, terms: ProtectionTerms) -> None:
        """Hold everything to these from now on."""
        self._terms = terms
        self._tell_all()

    def asked_for_record(self) -> None:
        """What is approved from now on may be missing in the answer."""
        self._approved_since.clear()

    def recover(
        self,
        orders: Iterable[tuple[DecisionKey, OrderState]],
        held: Iterable[BotInventory],
        excluded: Mapping[str, Decimal],
        excluded_orders: frozenset[str] = frozenset(),
    ) -> None:
        """Begin anew from the record: all open orders, those of the day, and who holds what."""
        self._books, self._held, self._excluded = {}, {}, dict(excluded)
        self._excluded_orders = excluded_orders
        for part in self._symbols.values():
            part.books, part.places, part.excluded = {}, [], None
            part.excluded_orders = excluded_orders
        for each in held:
            self._book(each.bot, each.inventory.symbol).inventory = each.inventory
        for symbol, quantity in excluded.items():
            self._part(symbol).excluded = quantity
        for part in self._symbols.values():
            self._weigh(part)
        known, recovered = self._orders, dict[str, KnownOrder]()
        for decision, state in orders:
            name = state.order.client_order_id
            heard_at = known[name].changed_at if name in known else 0
            recovered[name] = KnownOrder(decision=decision, state=state, changed_at=heard_at)
        for name, order in known.items():
            if name in self._approved_since:
                recovered.setdefault(name, order)
        self._know_only(recovered)
        self._find_ties()
        self._tell_all()

    def approved(self, decision: DecisionKey, order: Order, at: int) -> None:
        """It is on its way to the venue."""
        if order.client_order_id not in self._orders:
            state = after(OrderState(order=order), Attempted())
            self._approved_since.add(order.client_order_id)
            self.know(KnownOrder(decision=decision, state=state, changed_at=at))

    def know(self, order: KnownOrder) -> None:
        """So it stands with one of our orders now."""
        content = order.state.order
        self._orders[content.client_order_id] = order
        part = self._part(content.symbol)
        part.orders[content.client_order_id] = order
        self._ties.see_ours(content)
        self._redraw(part)

    def learned(
        self, decision: DecisionKey, name: str, event: OrderEvent, fee: Fee | None, at: int
    ) -> None:
        """What is on record now of an order."""
        if isinstance(event, Fill):
            execution = Execution(event, fee)
            self._executions.append(execution)
            self._ties.see_execution(event)
            self._book(decision.bot, event.symbol).book(event, fee)
            part = self._part(event.symbol)
            part.executions.append(execution)
            self._redraw(part)
            self._weigh(part)
        known = self._orders.get(name)
        if known is not None:
            state = after(known.state, event)
            self.know(structs.replace(known, state=state, changed_at=at))

    def looked(self, guard: Guard) -> bool:
        """A bot's guard has looked. Gives whether it is for another quantity than before."""
        part = self._part(guard.symbol)
        is_changed = part.looked(guard)
        self._follow(part)
        return is_changed

    def forget_guards(self, bot: str) -> None:
        """What it told last guards nothing."""
        for part in self._symbols.values():
            part.forget_guards(bot)
            self._follow(part)

    def watch(self, guards: Collection[Guard]) -> None:
        """These, one a bot and symbol, are what is watched from here now."""
        if not guards and not self._watched:
            return
        watched: dict[str, list[Guard]] = {}
        for guard in guards:
            watched.setdefault(guard.symbol, []).append(guard)
        for symbol in self._watched | watched.keys():
            part = self._part(symbol)
            part.watched(tuple(watched.get(symbol, ())))
            self._follow(part)
        self._watched = set(watched)

    def priced(self, symbol: str, price: Decimal) -> None:
        """A coin was last seen at this price: it says what of it is dust."""
        part = self._part(symbol)
        part.price = price
        self._weigh(part)

    def read(self, reading: VenueSnapshot) -> None:
        """The venue has shown the account."""
        self._reading = reading
        self._shows_nothing = structs.replace(reading, positions=(), orders=(), fills=())
        shown = by_symbol(reading)
        for symbol in shown:
            self._part(symbol)
        for symbol, part in self._symbols.items():
            if part.show(shown.get(symbol, self._shows_nothing)):
                self._changed.add(symbol)
        self._executions = list(unseen(reading, self._executions))
        for execution in self._executions:
            self._part(execution.fill.symbol).executions.append(execution)
        listed = {each.order.client_order_id for each in reading.orders if each.status.is_open}
        self._know_only(
            {
                name: each
                for name, each in self._orders.items()
                if each.state.status.is_open or name in listed
            }
        )
        self._approved_since &= self._orders.keys()
        self._find_ties()

    @property
    def causes(self) -> tuple[Cause, ...]:
        """What stands against trading: where that halts it, no guard of the engine can close."""
        return self._causes

    @causes.setter
    def causes(self, causes: tuple[Cause, ...]) -> None:
        if causes != self._causes:
            self._causes = causes
            self._tell_all()

    # What is known

    @property
    def held(self) -> Mapping[Place, Decimal]:
        """What each bot holds, signed, in no order; of coins what can be sold, the rest is dust."""
        return self._held

    @property
    def positions(self) -> dict[Place, Decimal]:
        """The same, in the order in which it came to be known of."""
        return {place: self._held[place] for place in self._books if place in self._held}

    def inventory(self, place: Place) -> FifoInventory | None:
        """What a bot has come by in a symbol; None: nothing ever."""
        book = self._books.get(place)
        return None if book is None else book.inventory

    def places_in(self, symbol: str) -> Sequence[Place]:
        """Those of all bots that have come by something of it."""
        part = self._symbols.get(symbol)
        return () if part is None else part.places

    def held_in(self, symbol: str) -> Mapping[Place, Decimal]:
        """What is held of it, as in `held`."""
        return self._held_in.get(symbol, NOTHING_HELD)

    def guards_of(self, place: Place) -> Iterable[Guard]:
        """A bot's guards of a symbol, as they last looked."""
        part = self._symbols.get(place[1])
        return () if part is None else part.guards_of(place[0])

    def working(self, place: Place) -> list[KnownOrder]:
        """All orders of a bot in a symbol that may trade yet."""
        bot, symbol = place
        part = self._symbols.get(symbol)
        orders = () if part is None else part.orders.values()
        return [each for each in orders if each.decision.bot == bot and each.state.status.is_open]

    def coverage(self, at: int) -> ExitCoverage:
        """What is covered now. The same object as before if nothing has changed."""
        if self._reading is None:
            return self.unseen
        if self._ties.are_there:
            return self._of_all(self._reading, at)
        self._bring_up(at)
        if self._unread:
            return self._of_all(self._reading, at)
        if self._found is None:
            found = [self._found_in[symbol] for symbol in sorted(self._found_in)]
            self._found = ExitCoverage(
                is_known=True,
                lines=tuple(chain.from_iterable([each.lines for each in found])),
                mismatches=tuple(chain.from_iterable([each.mismatches for each in found])),
            )
        return self._found

    # How it is found

    def _bring_up(self, at: int) -> None:
        """Match what has changed, and what does not hold any more."""
        parts = self._symbols
        is_over = not self._since <= at < self._until
        if is_over:
            over = [symbol for symbol, part in parts.items() if not part.since <= at < part.until]
            self._changed.update(over)
        for symbol in self._changed:
            part = parts[symbol]
            if part.match(at, self._terms, self._causes):
                self._take(symbol, part.coverage)
            self._since, self._until = max(self._since, part.since), min(self._until, part.until)
        self._changed.clear()
        if is_over:
            self._since = max((part.since for part in parts.values()), default=at)
            self._until = min((part.until for part in parts.values()), default=NEVER)

    def _take(self, symbol: str, found: ExitCoverage) -> None:
        self._found = None
        if found is NOTHING_FOUND:
            self._found_in.pop(symbol, None)
        else:
            self._found_in[symbol] = found
        if found.is_known:
            self._unread.discard(symbol)
        else:
            self._unread.add(symbol)

    def _of_all(self, reading: VenueSnapshot, at: int) -> ExitCoverage:
        """By the whole account at once."""
        excluded = dict(self._excluded)
        for symbol, dust in self._dust().items():
            excluded[symbol] = add(excluded.get(symbol, ZERO), dust)
        whose = Attribution(
            positions=self.positions,
            decisions={name: each.decision for name, each in self._orders.items()},
            excluded=excluded,
            excluded_orders=self._excluded_orders,
        )
        guards = tuple(guard for part in self._symbols.values() for guard in part.guards)
        picture = as_of(at, reading, self._orders, self._executions)
        halted = halted_places(guards, self._causes)
        return exit_coverage(picture, guards, whose, self._terms, at, halted=halted)

    def _dust(self) -> dict[str, Decimal]:
        """What is held and cannot be sold, by symbol."""
        of = {symbol: self._symbols[symbol].dust for _, symbol in self._books}
        return {symbol: dust for symbol, dust in of.items() if dust is not None}

    # How it is kept

    def _part(self, symbol: str) -> CoveredSymbol:
        part = self._symbols.get(symbol)
        if part is None:
            part = self._symbols[symbol] = CoveredSymbol(
                symbol, self._coins.get(symbol), self._shows_nothing
            )
            part.excluded_orders = self._excluded_orders
            self._changed.add(symbol)
        return part

    def _book(self, bot: str, symbol: str) -> FillBook:
        place = (bot, symbol)
        book = self._books.get(place)
        if book is None:
            part = self._part(symbol)
            book = self._books[place] = part.books[bot] = FillBook(symbol)
            part.places.append(place)
        return book

    def _weigh(self, part: CoveredSymbol) -> None:
        part.weigh()
        for place in part.places:
            self._held.pop(place, None)
        self._held_in.pop(part.symbol, None)
        if part.positions:
            self._held.update(part.positions)
            self._held_in[part.symbol] = part.positions
        self._follow(part)

    def _know_only(self, orders: dict[str, KnownOrder]) -> None:
        self._orders = orders
        for part in self._symbols.values():
            part.orders = {}
        for name, order in orders.items():
            self._part(order.state.order.symbol).orders[name] = order

    def _find_ties(self) -> None:
        ties = self._ties = NameTies()
        if self._reading is not None:
            for listed in self._reading.orders:
                ties.see_listed(listed.order)
            for fill in self._reading.fills:
                ties.see_execution(fill)
        for known in self._orders.values():
            ties.see_ours(known.state.order)
        for execution in self._executions:
            ties.see_execution(execution.fill)

    def _redraw(self, part: CoveredSymbol) -> None:
        part.is_redrawn = True
        self._changed.add(part.symbol)

    def _tell_all(self) -> None:
        for part in self._symbols.values():
            part.is_told = True
        self._changed.update(self._symbols)

    def _follow(self, part: CoveredSymbol) -> None:
        """It may have been told something by itself."""
        if part.is_told:
            self._changed.add(part.symbol)
        else:
            self._since = max(self._since, part.since)
