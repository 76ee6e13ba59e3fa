"""The exit bot's judgement: is everything that is held protected, and what is to be done if not.

Told what is on record, what becomes of orders, which guards the bots keep, the bars, and what the
venue shows, it says at each look what is covered and which steps follow:

- A position whose bot is quarantined, does not run or is silent is taken over: watched by the
  bot's own rules and closed as soon as they say so, or at once where none are known.
- When the day is lost everything is closed, whoever holds it.
- What closes more than is held, or would enlarge it, is canceled once it has been so for long.

A living bot is left alone: it closes its own positions. Should both close one, the guardian counts
what is on its way and denies the second. Times `at` are market time, `now` is machine time (ns).
No clock, no I/O.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TypeAlias

import msgspec
from msgspec import structs

from hydra.trading.account_day import trading_day
from hydra.trading.account_picture import Execution, KnownOrder, as_of, unseen
from hydra.trading.bars import Bar
from hydra.trading.coin_orders import CoinTerms
from hydra.trading.coverage import Attribution, ExitCoverage, exit_coverage
from hydra.trading.coverage_clock import CoverageClock
from hydra.trading.coverage_lines import Mismatch
from hydra.trading.durations import SECOND
from hydra.trading.exact import add, subtract
from hydra.trading.exit_plans import ExitPlan, reason_to_close
from hydra.trading.fees import Fee
from hydra.trading.inventory import FillBook
from hydra.trading.order_life import Attempted, OrderEvent, OrderState, after
from hydra.trading.orders import DecisionKey, Fill, Order, OrderType, Role, Side
from hydra.trading.protection import Guard, ProtectionTerms, closing_side
from hydra.trading.sessions import SessionTable, hours_of
from hydra.trading.sub_ledgers import BotInventory
from hydra.trading.trading_state import Cause, TradingState, state_for
from hydra.trading.venue_view import VenueSnapshot

Place: TypeAlias = tuple[str, str]
"""A bot, and a symbol."""

ZERO = Decimal(0)
MISSED_BARS = 2
"""A bot that has not looked at so many bars in a row, for a while, is silent."""
BARS_KEPT = 4
AGAIN_AFTER = 10 * SECOND
"""Machine time between two attempts to close the same, or to cancel the same order."""
OWN_GUARD = "exit_bot"
DAY_IS_LOST = "daily_loss"
IS_NOT_CALLED_FOR = "nothing is to be closed"


class ExitTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What the exit bot is held to. Durations are ns; all numbers are over zero.

    `bots` are those that run; `plans` may be of others as well. `reading_loops_max`: so many loops
    ago what the venue shows may have been read. `confirm_within` is how long something may be
    unprotected before entries stop, `repair_within` before that is latched, in machine time.
    `guard_age_max` is market time: a guard must have looked since, at a price that is no older.
    """

    sessions: SessionTable
    bots: frozenset[str]
    plans: tuple[ExitPlan, ...]
    coins: Mapping[str, CoinTerms]
    guard_age_max: int
    reading_loops_max: int
    confirm_within: int
    repair_within: int
    option_calendar: SessionTable | None = None
    """The exchange's sessions up to the last expiration; None: no contracts are held here."""

    @property
    def protection(self) -> ProtectionTerms:
        """The same for `exit_coverage`; how old the reading is, is judged here."""
        return ProtectionTerms(
            sessions=self.option_calendar or self.sessions,
            snapshot_age_ns_max=1,
            guard_age_ns_max=self.guard_age_max,
            price_age_ns_max=self.guard_age_max,
            expiring_ns=self.guard_age_max,
        )


class CloseNow(msgspec.Struct, frozen=True, kw_only=True):
    """Close so much (over zero) of what a bot holds, at the market."""

    decision: DecisionKey
    side: Side
    quantity: Decimal
    reason: str


class TakeOut(msgspec.Struct, frozen=True, kw_only=True):
    """Have this order canceled."""

    decision: DecisionKey
    reason: str


class Unprotected(msgspec.Struct, frozen=True, kw_only=True):
    """It has been so for longer than a repair may take."""

    symbol: str
    detail: str


Step: TypeAlias = CloseNow | TakeOut | Unprotected


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, and what follows. `waits` names what is to be closed and cannot be, by why:
    its market is closed, say.
    """

    coverage: ExitCoverage
    uncovered: Mapping[Place, int]
    """For how long (machine time) each has not been covered whole."""
    taken_over: Mapping[Place, str]
    """By why."""
    waits: Mapping[Place, str]
    steps: tuple[Step, ...]


class ExitDesk:
    """See the module."""

    def __init__(self, terms: ExitTerms, at: int) -> None:
        self._terms = terms
        self._since = at
        """Nobody can have been heard before."""
        self._plans = {plan.bot: plan for plan in terms.plans}
        self._books: dict[Place, FillBook] = {}
        self._places: dict[str, list[Place]] = {}
        """Those of the books, by symbol."""
        self._orders: dict[str, KnownOrder] = {}
        self._approved_since: set[str] = set()
        """Orders, by name, that were approved since the record was last asked for."""
        self._excluded: Mapping[str, Decimal] = {}
        self._executions: list[Execution] = []
        self._reading: VenueSnapshot | None = None
        self._loops_since_reading = 0
        self._guards: dict[Place, dict[str, Guard]] = {}
        """By place, then by the guard's name."""
        self._bars: dict[str, deque[Bar]] = {}
        self._waiting_since: dict[Place, int] = {}
        """When (machine time) the first bar came that the bot of a place has not looked at."""
        self._quarantined: dict[str, int] = {}
        """By when (market time)."""
        self._tried: dict[Place | DecisionKey, int] = {}
        """When (machine time) it was last tried to close there, or to take that order out."""
        self._signals: dict[tuple[str, str, str], int] = {}
        self._clock = CoverageClock()
        self.is_lost = False
        """The daily loss limit is broken: everything is to be closed."""
        self.stands_back: str = ""
        """Why nothing can or should be closed from here now, "" if it may."""
        self.causes: tuple[Cause, ...] = ()
        """What stands against trading: where that halts it, no guard of the engine can close."""

    # What is told

    def asked_for_record(self) -> None:
        """What is approved from now on may be missing in the answer."""
        self._approved_since.clear()

    def recover(
        self,
        orders: Iterable[tuple[DecisionKey, OrderState]],
        held: Iterable[BotInventory],
        excluded: Mapping[str, Decimal],
    ) -> None:
        """Begin anew from the record: all open orders, those of the day, and who holds what."""
        self._books, self._places = {}, {}
        for each in held:
            self._book(each.bot, each.inventory.symbol).inventory = each.inventory
        known = self._orders
        self._orders = {}
        for decision, state in orders:
            name = state.order.client_order_id
            heard_at = known[name].changed_at if name in known else 0
            self._know(KnownOrder(decision=decision, state=state, changed_at=heard_at))
        for name in self._approved_since & known.keys():
            self._orders.setdefault(name, known[name])
        self._excluded = dict(excluded)

    def approved(self, decision: DecisionKey, order: Order, at: int) -> None:
        """It is on its way to the venue."""
        if order.client_order_id not in self._orders:
            state = after(OrderState(order=order), Attempted())
            self._approved_since.add(order.client_order_id)
            self._know(KnownOrder(decision=decision, state=state, changed_at=at))

    def learned(
        self, decision: DecisionKey, name: str, event: OrderEvent, fee: Fee | None, at: int
    ) -> None:
        """What is on record now of an order."""
        if isinstance(event, Fill):
            self._executions.append(Execution(event, fee))
            self._book(decision.bot, event.symbol).book(event, fee)
        known = self._orders.get(name)
        if known is not None:
            state = after(known.state, event)
            self._orders[name] = structs.replace(known, state=state, changed_at=at)

    def looked(self, guard: Guard) -> bool:
        """A bot's guard has looked: it lives. Gives whether that may change what is covered."""
        self._quarantined.pop(guard.bot, None)
        place = (guard.bot, guard.symbol)
        guards = self._guards.setdefault(place, {})
        before = guards.get(guard.name)
        if guard.quantity:
            guards[guard.name] = guard
        else:
            guards.pop(guard.name, None)
        if place in self._waiting_since and not self._unlooked(place):
            del self._waiting_since[place]
        return before is None or before.quantity != guard.quantity

    def bar(self, bar: Bar, now: int) -> bool:
        """A bar has closed. Gives whether somebody holds what it is of, and does not look at it."""
        kept = self._bars.get(bar.symbol)
        if kept is None:
            kept = self._bars[bar.symbol] = deque(maxlen=BARS_KEPT)
        kept.append(bar)
        places = [each for each in self._places.get(bar.symbol, ()) if self._sellable(each)]
        for place in places:
            if self._unlooked(place):
                self._waiting_since.setdefault(place, now)
        return any(
            self._is_abandoned(place[0]) or len(self._unlooked(place)) >= MISSED_BARS
            for place in places
        )

    def decided(self, bot: str, at: int) -> None:
        """It took a decision at this market time. Behind its quarantine that means that a person
        had it started again.
        """
        if at > self._quarantined.get(bot, at):
            del self._quarantined[bot]

    def quarantined(self, bot: str, at: int) -> None:
        """It failed too often and stays down; what it told last guards nothing."""
        self._quarantined[bot] = at
        self._guards = {place: each for place, each in self._guards.items() if place[0] != bot}

    def loop_ran(self) -> None:
        """Another loop has come to its end."""
        self._loops_since_reading += 1

    def read(self, reading: VenueSnapshot) -> None:
        """The venue has shown the account."""
        self._reading, self._loops_since_reading = reading, 0
        self._executions = list(unseen(reading, self._executions))
        listed = {each.order.client_order_id for each in reading.orders if each.status.is_open}
        self._orders = {
            name: each
            for name, each in self._orders.items()
            if each.state.status.is_open or name in listed
        }
        self._approved_since &= self._orders.keys()

    # What is known

    @property
    def positions(self) -> dict[Place, Decimal]:
        """What each bot holds, signed; of coins what can be sold, the rest is dust."""
        held = {place: self._sellable(place) for place in self._books}
        return {place: position for place, position in held.items() if position}

    def _sellable(self, place: Place) -> Decimal:
        position = self._books[place].position
        coin = self._terms.coins.get(place[1])
        if coin is None:
            return position
        bars = self._bars.get(place[1])
        return coin.sellable(position, Decimal(repr(bars[-1].close)) if bars else None)

    def _dust(self) -> dict[str, Decimal]:
        """What is held and cannot be sold, by symbol."""
        dust: dict[str, Decimal] = {}
        for place, book in self._books.items():
            left = subtract(book.position, self._sellable(place))
            if left:
                dust[place[1]] = add(dust.get(place[1], ZERO), left)
        return dust

    def look(self, at: int, now: int) -> Look:
        """See what is covered, and what is to be done."""
        taken_over = dict(self._taken_over(at, now))
        steps, waits = list[Step](), dict[Place, str]()
        watched = list[Guard]()
        for place in self.positions:
            reason = self._reason_to_close(place, place in taken_over, at)
            if reason == IS_NOT_CALLED_FOR:
                if place in taken_over:
                    watched += self._own_guard(place, at)
                continue
            why_not = self._obstacle(place, at)
            if why_not:
                waits[place] = why_not
            else:
                steps += self._closing(place, reason, at, now)
        coverage = self._coverage(watched, at)
        uncovered = self._clock.uncovered(coverage, now)
        steps += self._excess(coverage, now)
        unrepaired = self._clock.unrepaired(self._terms.sessions, at, now)
        steps += self._overdue(unrepaired, _held_back(coverage), now)
        return Look(
            coverage=coverage,
            uncovered=uncovered,
            taken_over=taken_over,
            waits=waits,
            steps=tuple(steps),
        )

    # Who looks after what

    def _taken_over(self, at: int, now: int) -> Iterator[tuple[Place, str]]:
        for place in self.positions:
            bot = place[0]
            if bot in self._quarantined:
                yield place, "its bot is quarantined"
            elif bot not in self._terms.bots:
                yield place, "its bot does not run"
            elif self._is_silent(place, at, now):
                yield place, "its bot is silent"

    def _is_abandoned(self, bot: str) -> bool:
        return bot in self._quarantined or bot not in self._terms.bots

    def _is_silent(self, place: Place, at: int, now: int) -> bool:
        """Bars can come in a bunch, before a bot had the time to look at them."""
        if place[1] not in self._bars:
            return self._is_long_ago(self._looked_at(place), place[1], at)
        waits = now - self._waiting_since.get(place, now)
        return len(self._unlooked(place)) >= MISSED_BARS and waits >= self._terms.confirm_within

    def _is_long_ago(self, then: int, symbol: str, at: int) -> bool:
        """Longer than a guard may take between two looks, and its market was open meanwhile."""
        session = hours_of(symbol, self._terms.sessions).at(at)
        if session is None:
            return False
        return at - max(then, session.open_at) > self._terms.guard_age_max

    def _unlooked(self, place: Place) -> list[Bar]:
        """The bars that its bot has not looked at, as far as it is known."""
        looked_at = self._looked_at(place)
        return [bar for bar in self._bars.get(place[1], ()) if bar.end_at > looked_at]

    def _looked_at(self, place: Place) -> int:
        """When its bot last looked at it; not before it was opened, or we came to be."""
        book = self._books.get(place)
        lots = () if book is None else book.inventory.lots
        looks = [
            guard.looked_at
            for guard in self._guards.get(place, {}).values()
            if guard.looked_at is not None
        ]
        return max(self._since, lots[0].opened_at if lots else 0, *looks)

    # What is to be done

    def _reason_to_close(self, place: Place, is_taken_over: bool, at: int) -> str:
        if self.is_lost:
            return DAY_IS_LOST
        if not is_taken_over:
            return IS_NOT_CALLED_FOR
        bot, symbol = place
        plan = self._plans.get(bot)
        inventory, bars = self._books[place].inventory, self._unlooked(place)
        found = reason_to_close(plan, inventory, bars, self._terms.sessions, at)
        if (
            found is None
            and symbol not in self._bars
            and self._is_long_ago(self._since, symbol, at)
        ):
            return "no price of it comes to go by"
        return IS_NOT_CALLED_FOR if found is None else found

    def _obstacle(self, place: Place, at: int) -> str:
        """What keeps it from being closed now, "" if nothing does."""
        if hours_of(place[1], self._terms.sessions).at(at) is None:
            return "its market is closed; it is closed at the next opening"
        return self.stands_back

    def _own_guard(self, place: Place, at: int) -> Iterator[Guard]:
        """What was taken over is watched from here, at the newest bar."""
        bot, symbol = place
        bars, session = self._bars.get(symbol), hours_of(symbol, self._terms.sessions).at(at)
        inventory = self._books[place].inventory
        if bars and session is not None:
            yield Guard(
                name=OWN_GUARD,
                bot=bot,
                symbol=symbol,
                quantity=inventory.position,
                since=inventory.lots[0].opened_at,
                until=session.close_at,
                looked_at=at,
                price_at=min(at, bars[-1].end_at),
            )

    def _closing(self, place: Place, reason: str, at: int, now: int) -> Iterator[Step]:
        """First what is in the way is taken out; then what is left is closed, once at a time."""
        working = self._working(place)
        resting = [
            each
            for each in working
            if each.state.order.order_type is not OrderType.MARKET
            or each.decision.role is Role.ENTRY  # in a market that stands still it works on, too
        ]
        if working:
            for each in resting:
                yield from self._take_out(each.decision, f"to be closed: {reason}", now)
            return
        if self._may_try(place, now):
            position = self.positions[place]
            yield CloseNow(
                decision=self._next_decision(place, at),
                side=closing_side(position),
                quantity=position.copy_abs(),
                reason=reason,
            )

    def _working(self, place: Place) -> list[KnownOrder]:
        """All orders of a bot in a symbol that may trade yet."""
        return [
            each
            for each in self._orders.values()
            if (each.decision.bot, each.state.order.symbol) == place and each.state.status.is_open
        ]

    def _take_out(self, decision: DecisionKey, reason: str, now: int) -> Iterator[TakeOut]:
        if self._may_try(decision, now):
            yield TakeOut(decision=decision, reason=reason)

    def _may_try(self, what: Place | DecisionKey, now: int) -> bool:
        tried_at = self._tried.get(what)
        if tried_at is not None and 0 <= now - tried_at < AGAIN_AFTER:
            return False
        self._tried[what] = now
        return True

    def _next_decision(self, place: Place, at: int) -> DecisionKey:
        """Its bot counts its own up from 1; these are counted down, so that they never meet."""
        bot, symbol = place
        session = trading_day(self._terms.sessions, at)
        key = (bot, symbol, session)
        self._signals[key] = self._signals.get(key, 0) - 1
        return DecisionKey(bot, symbol, session, self._signals[key], Role.EXIT)

    def _excess(self, coverage: ExitCoverage, now: int) -> Iterator[TakeOut]:
        """Orders that close too much, or the wrong way, once that has been so for long."""
        confirm_within = self._terms.confirm_within
        for mismatch in self._clock.lasting(coverage, now, confirm_within):
            for each in self._too_many(mismatch):
                yield from self._take_out(each.decision, mismatch.kind.value, now)

    def _too_many(self, mismatch: Mismatch) -> Iterator[KnownOrder]:
        """The newest first, as far as it is too much. One that trades at once cannot be caught."""
        excess = mismatch.quantity
        resting = [
            each
            for each in self._working((mismatch.bot, mismatch.symbol))
            if each.decision.role.reduces
            and each.state.order.side is mismatch.side
            and each.state.order.order_type is not OrderType.MARKET
            and mismatch.subject in ("", each.state.order.client_order_id)
        ]
        for each in sorted(resting, key=lambda each: each.changed_at, reverse=True):
            if excess <= 0:
                return
            yield each
            excess = subtract(excess, each.remaining)

    def _overdue(
        self, unrepaired: Mapping[Place, int], held_back: frozenset[Place], now: int
    ) -> Iterator[Unprotected]:
        """What only a halt keeps unprotected is no cause: it would outlast the halt."""
        for (bot, symbol), lasts in unrepaired.items():
            if (bot, symbol) in held_back:
                continue
            if lasts > self._terms.repair_within and self._may_try(("", symbol), now):
                words = f"{bot} has been without protection for {lasts // SECOND} s"
                yield Unprotected(symbol=symbol, detail=words)

    # What is covered

    def _coverage(self, watched: list[Guard], at: int) -> ExitCoverage:
        picture, reading = None, self._reading
        if reading is not None and self._loops_since_reading <= self._terms.reading_loops_max:
            picture = as_of(at, reading, self._orders, self._executions)
        attribution = Attribution(
            positions=self.positions,
            decisions={name: each.decision for name, each in self._orders.items()},
            excluded=_sums(self._excluded, self._dust()),
        )
        told = (guard for guards in self._guards.values() for guard in guards.values())
        guards = (*told, *watched)
        halted = {
            (guard.bot, guard.symbol)
            for guard in guards
            if state_for(self.causes, guard.bot, guard.symbol) is TradingState.HALTED
        }
        terms = self._terms.protection
        return exit_coverage(picture, guards, attribution, terms, at, halted=halted)

    def _book(self, bot: str, symbol: str) -> FillBook:
        place = (bot, symbol)
        book = self._books.get(place)
        if book is None:
            book = self._books[place] = FillBook(symbol)
            self._places.setdefault(symbol, []).append(place)
        return book

    def _know(self, order: KnownOrder) -> None:
        """Also how far the numbers of decisions made here have come: they go on from there."""
        decision = order.decision
        self._orders[order.state.order.client_order_id] = order
        key = (decision.bot, decision.symbol, decision.session)
        self._signals[key] = min(self._signals.get(key, 0), decision.signal)


def _held_back(coverage: ExitCoverage) -> frozenset[Place]:
    """What lacks nothing but the end of a halt."""
    return frozenset((line.bot, line.symbol) for line in coverage.lines if line.is_held_back)


def _sums(one: Mapping[str, Decimal], other: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {
        key: add(one.get(key, ZERO), other.get(key, ZERO)) for key in dict.fromkeys((*one, *other))
    }
