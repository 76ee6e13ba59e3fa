"""The exit bot's judgement: is everything that is held protected, and what is to be done if not.

Told what is on record, what becomes of orders, which guards the bots keep, the bars, and what the
venue shows, it says at each look what is covered and which steps follow:

- A position whose bot is quarantined, does not run or is silent is taken over: watched by the
  bot's own rules and closed as soon as they say so, or at once where none are known.
- A short contract is bought back: no bot has rules for one. What is long on the same underlying
  may cover it, and is sold only when it is gone.
- When the day is lost everything is closed, whoever holds it; and what is about to be split, merged
  or the like, before the close of the session before.
- What closes more than is held, or would enlarge it, is canceled once it has been so for long.

A living bot is left alone: it closes its own positions. Should both close one, the guardian counts
what is on its way and denies the second. Times `at` are market time, `now` is machine time (ns).
No clock, no I/O.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType

from msgspec import structs

from hydra.trading.account_day import trading_day
from hydra.trading.account_picture import KnownOrder
from hydra.trading.bars import Bar
from hydra.trading.bots_stops import BotsStops
from hydra.trading.coin_orders import CoinTerms
from hydra.trading.corporate_actions import Spell, cuts_of, due_to_close
from hydra.trading.coverage import ExitCoverage
from hydra.trading.coverage_clock import CoverageClock
from hydra.trading.coverage_lines import Mismatch
from hydra.trading.covered_account import CoveredAccount
from hydra.trading.covered_symbol import Place
from hydra.trading.durations import SECOND
from hydra.trading.exact import subtract
from hydra.trading.exit_plans import ExitTerms, reason_to_close
from hydra.trading.exit_steps import CloseNow, Look, Step, TakeOut, Unprotected
from hydra.trading.fees import Fee
from hydra.trading.hit_stops import HitStop
from hydra.trading.instruments import is_crypto
from hydra.trading.inventory import FifoInventory
from hydra.trading.option_symbols import parsed
from hydra.trading.order_life import OrderEvent, OrderState
from hydra.trading.orders import DecisionKey, Fill, Order, OrderType, Role
from hydra.trading.protection import Guard, closing_side
from hydra.trading.sessions import hours_of
from hydra.trading.sub_ledgers import BotInventory
from hydra.trading.trading_state import Cause
from hydra.trading.trail import Trail
from hydra.trading.venue_view import VenueSnapshot

MISSED_BARS = 2
"""A bot that has not looked at so many bars in a row, for a while, is silent."""
BARS_KEPT = 4
AGAIN_AFTER = 10 * SECOND
"""Machine time between two attempts to close the same, or to cancel the same order."""
OWN_GUARD = "exit_bot"
DAY_IS_LOST = "daily_loss"
IS_NOT_CALLED_FOR = "nothing is to be closed"
NO_TRAILS: Mapping[str, Trail] = MappingProxyType({})
NOTHING_DUE: Mapping[Place, str] = MappingProxyType({})


class ExitDesk:
    """See the module."""

    def __init__(self, terms: ExitTerms, at: int) -> None:
        self._terms = terms
        self._coins = terms.coins
        self._since = at
        """Nobody can have been heard before."""
        self._plans = {plan.bot: plan for plan in terms.plans}
        self._is_trailing = any(plan.rules.trailing_stop_pct is not None for plan in terms.plans)
        self._account = CoveredAccount(terms.protection, terms.coins)
        self._loops_since_reading = 0
        self._bars: dict[str, deque[Bar]] = {}
        self._without_bars: dict[Place, int] = {}
        """What is held and no bar was seen of, by when its bot last looked at it (market time)."""
        self._of_strangers: set[Place] = set()
        """What is held by bots that do not run."""
        self._short_contracts: set[Place] = set()
        """Contracts that are held short, by whomever."""
        self._waiting_since: dict[Place, int] = {}
        """When (machine time) the first bar came that the bot of a place has not looked at."""
        self._quarantined: dict[str, int] = {}
        """By when (market time)."""
        self._stops = BotsStops(self._plans)
        self._tried: dict[Place | DecisionKey, int] = {}
        """When (machine time) it was last tried to close there, or to take that order out."""
        self._signals: dict[tuple[str, str, str], int] = {}
        self._clock = CoverageClock()
        self._unrepaired: frozenset[Place] = frozenset()
        """What had not been covered whole at the last look for longer than a repair may take."""
        self._spells: tuple[Spell, ...] = ()
        """The days around the corporate actions that are near."""
        self.is_lost = False
        """The daily loss limit is broken: everything is to be closed."""
        self.stands_back: str = ""
        """Why nothing can or should be closed from here now, "" if it may."""

    @property
    def causes(self) -> tuple[Cause, ...]:
        """What stands against trading: where that halts it, no guard of the engine can close."""
        return self._account.causes

    @causes.setter
    def causes(self, causes: tuple[Cause, ...]) -> None:
        self._account.causes = causes

    # What is told

    def asked_for_record(self) -> None:
        """What is approved from now on may be missing in the answer."""
        self._account.asked_for_record()

    def recover(
        self,
        orders: Iterable[tuple[DecisionKey, OrderState]],
        held: Iterable[BotInventory],
        excluded: Mapping[str, Decimal],
        excluded_orders: frozenset[str] = frozenset(),
        trails: Mapping[str, Trail] = NO_TRAILS,
        hits: Iterable[HitStop] = (),
    ) -> None:
        """Begin anew from the record: all open orders, those of the day, and who holds what.

        `trails`: how far each bot's trailing stop had come, and `hits` which stops were hit, for
        what its bot says nothing of.
        """
        listed = tuple(orders)
        self._account.recover(listed, held, excluded, excluded_orders)
        inventories = {place: self._inventory(place) for place in self._account.held}
        self._stops.recover(inventories, trails, hits)
        for decision, _ in listed:
            self._count(decision)
        self._without_bars, self._of_strangers, self._short_contracts = {}, set(), set()
        waiting = self._waiting_since.items()
        self._waiting_since = {place: at for place, at in waiting if place in inventories}
        for place in inventories:
            self._note(place)

    def approved(self, decision: DecisionKey, order: Order, at: int) -> None:
        """It is on its way to the venue."""
        self._account.approved(decision, order, at)
        self._count(decision)

    def learned(
        self, decision: DecisionKey, name: str, event: OrderEvent, fee: Fee | None, at: int
    ) -> None:
        """What is on record now of an order."""
        self._account.learned(decision, name, event, fee, at)
        if isinstance(event, Fill):
            self._note((decision.bot, event.symbol))

    def looked(self, guard: Guard) -> bool:
        """A bot's guard has looked: it lives. Gives whether that may change what is covered, or is
        to go on record.
        """
        self._quarantined.pop(guard.bot, None)
        place = (guard.bot, guard.symbol)
        is_changed = self._account.looked(guard)
        is_changed |= self._stops.told(guard)
        if place in self._waiting_since and not self._unlooked(place):
            del self._waiting_since[place]
        if place in self._without_bars:
            self._note(place)
        return is_changed

    def bars(self, bars: Iterable[Bar], now: int) -> bool:
        """Bars have closed. Gives whether somebody holds what one of them is of, and does not look
        at it.
        """
        is_left_alone = False
        for bar in bars:
            symbol = bar.symbol
            kept = self._bars.get(symbol)
            if kept is None:
                kept = self._bars[symbol] = deque(maxlen=BARS_KEPT)
            if self._is_trailing and len(kept) == BARS_KEPT:
                self._trail(kept[0])
            kept.append(bar)
            is_coin = symbol in self._coins
            if is_coin:
                self._account.priced(symbol, Decimal(repr(bar.close)))
            if is_coin or len(kept) == 1:
                for place in self._account.places_in(symbol):
                    self._note(place)
            for place in self._account.held_in(symbol):
                is_left_alone |= self._bar_came(place, now)
        return is_left_alone

    def decided(self, bot: str, at: int) -> None:
        """It took a decision at this market time. Behind its quarantine that means that a person
        had it started again.
        """
        if at > self._quarantined.get(bot, at):
            del self._quarantined[bot]

    def quarantined(self, bot: str, at: int) -> None:
        """It failed too often and stays down; what it told last guards nothing."""
        self._quarantined[bot] = at
        self._account.forget_guards(bot)
        for place in [each for each in self._without_bars if each[0] == bot]:
            self._note(place)

    def told_of_actions(self, spells: tuple[Spell, ...]) -> None:
        """These days are near, or have been lately: what protected before one does no more."""
        if spells != self._spells:
            self._spells = spells
            self._account.take(structs.replace(self._terms.protection, splits=cuts_of(spells)))

    def loop_ran(self) -> None:
        """Another loop has come to its end."""
        self._loops_since_reading += 1

    def read(self, reading: VenueSnapshot) -> None:
        """The venue has shown the account."""
        self._account.read(reading)
        self._loops_since_reading = 0

    # What is known

    @property
    def positions(self) -> dict[Place, Decimal]:
        """What each bot holds, signed; of coins what can be sold, the rest is dust."""
        return self._account.positions

    def look(self, at: int, now: int) -> Look:
        """See what is covered, and what is to be done."""
        taken_over = self._taken_over(at, now)
        steps, waits = list[Step](), dict[Place, str]()
        watched = list[Guard]()
        due = due_to_close(self._account.held, self._spells, at) if self._spells else NOTHING_DUE
        for place in self.positions if self.is_lost else {**taken_over, **due}:
            reason = due.get(place) or self._reason_to_close(place, place in taken_over, at)
            if reason == IS_NOT_CALLED_FOR:
                if place in taken_over:
                    watched += self._own_guard(place, at)
                    steps += self._stops.keep_trail(
                        place, self._inventory(place), self._unlooked(place)
                    )
                continue
            why_not = self._obstacle(place, at)
            if why_not:
                waits[place] = why_not
            else:
                steps += self._closing(place, reason, at, now)
        steps += self._stops.keep_hits()
        coverage = self._coverage(watched, at)
        uncovered = self._clock.uncovered(coverage, now)
        steps += self._excess(coverage, now)
        unrepaired = self._clock.unrepaired(self._terms.sessions, at, now)
        overdue = {p: lasts for p, lasts in unrepaired.items() if lasts > self._terms.repair_within}
        self._unrepaired = frozenset(overdue)
        steps += self._unprotected(overdue, coverage, now)
        return Look(
            coverage=coverage,
            uncovered=uncovered,
            taken_over=taken_over,
            waits=waits,
            steps=tuple(steps),
        )

    # Who looks after what

    def _taken_over(self, at: int, now: int) -> dict[Place, str]:
        doubtful = self._doubtful(at, now)
        if not doubtful:
            return {}
        found = {
            place: self._why_taken_over(place, at, now)
            for place in self.positions
            if place in doubtful
        }
        return {place: why for place, why in found.items() if why}

    def _doubtful(self, at: int, now: int) -> set[Place]:
        """All places that may have to be taken over, found without asking of each that is held."""
        terms, doubtful = self._terms, self._of_strangers | self._short_contracts
        if self._quarantined:
            doubtful.update(each for each in self._account.held if each[0] in self._quarantined)
        for place, since in self._waiting_since.items():
            if now - since >= terms.confirm_within:
                doubtful.add(place)
        for place, looked_at in self._without_bars.items():
            if at - looked_at > terms.guard_age_max or place in self._unrepaired:
                doubtful.add(place)
        return doubtful

    def _why_taken_over(self, place: Place, at: int, now: int) -> str:
        """ "" if it is not: its own bot looks after it."""
        bot = place[0]
        if bot in self._quarantined:
            return "its bot is quarantined"
        if bot not in self._terms.bots:
            return "its bot does not run"
        if place in self._short_contracts and not any(self._account.guards_of(place)):
            return "no rules of its bot are for a short contract"
        if self._is_silent(place, at, now):
            return "its bot is silent"
        return "its bot sees no price of it" if self._is_blind(place, at) else ""

    def _trail(self, bar: Bar) -> None:
        """It is forgotten; how high it was is not, where a bot did not look at it any more."""
        for place in self._account.places_in(bar.symbol):
            if place in self._account.held and bar.end_at > self._looked_at(place):
                self._stops.follow(place, bar)

    def _note(self, place: Place) -> None:
        """What is held there may have changed, or who looks at it."""
        bot, symbol = place
        is_held = place in self._account.held
        if not is_held:
            self._stops.forget(place)
            self._waiting_since.pop(place, None)
        if is_held and bot not in self._terms.bots:
            self._of_strangers.add(place)
        else:
            self._of_strangers.discard(place)
        if is_held and self._account.held[place] < 0 and parsed(symbol) is not None:
            self._short_contracts.add(place)
        else:
            self._short_contracts.discard(place)
        if is_held and symbol not in self._bars:
            self._without_bars[place] = self._looked_at(place)
        else:
            self._without_bars.pop(place, None)

    def _bar_came(self, place: Place, now: int) -> bool:
        """One of what is held there. Gives whether nobody looks at them."""
        unlooked = self._unlooked(place)
        if unlooked:
            self._waiting_since.setdefault(place, now)
        bot = place[0]
        is_abandoned = bot in self._quarantined or bot not in self._terms.bots
        return is_abandoned or len(unlooked) >= MISSED_BARS

    def _is_silent(self, place: Place, at: int, now: int) -> bool:
        """Bars can come in a bunch, before a bot had the time to look at them."""
        if place[1] not in self._bars:
            return self._is_long_ago(self._looked_at(place), place[1], at)
        waits = now - self._waiting_since.get(place, now)
        return len(self._unlooked(place)) >= MISSED_BARS and waits >= self._terms.confirm_within

    def _is_blind(self, place: Place, at: int) -> bool:
        """Its bot looks, at a price of long ago, and nothing else has protected it for long. A bot
        whose prices come as bars cannot look without one.
        """
        if place[1] in self._bars or place not in self._unrepaired:
            return False
        seen = [each.price_at for each in self._account.guards_of(place)]
        newest = max((each for each in seen if each is not None), default=self._since)
        return self._is_long_ago(newest, place[1], at)

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
        inventory = self._account.inventory(place)
        looked_at = self._since
        if inventory is not None and inventory.lots:
            looked_at = max(looked_at, inventory.lots[0].opened_at)
        for guard in self._account.guards_of(place):
            if guard.looked_at is not None:
                looked_at = max(looked_at, guard.looked_at)
        return looked_at

    # What is to be done

    def _reason_to_close(self, place: Place, is_taken_over: bool, at: int) -> str:
        if self.is_lost:
            return DAY_IS_LOST
        if not is_taken_over:
            return IS_NOT_CALLED_FOR
        bot, symbol = place
        plan = self._plans.get(bot)
        inventory, bars = self._inventory(place), self._unlooked(place)
        coin, seen = self._coins.get(symbol), self._bars.get(symbol)
        if coin is not None and seen and inventory.position > 0:
            inventory = coin.without_dust(inventory, Decimal(repr(seen[-1].close)))
        stop_price = self._stops.price_of(place)
        found = reason_to_close(plan, inventory, bars, self._terms.sessions, at, stop_price)
        found = self._stops.why_closed(place, found, inventory)
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
        return self.stands_back or self._goes_first(place)

    def _goes_first(self, place: Place) -> str:
        """What is short has no floor to its loss, and nobody may sell what covers it."""
        sold = parsed(place[1])
        if sold is None or place in self._short_contracts:
            return ""
        shorts = sorted(symbol for _, symbol in self._short_contracts)
        for symbol in shorts:
            short = parsed(symbol)
            if short is not None and short.root == sold.root:
                return f"{symbol} is short, and bought back first"
        return ""

    def _own_guard(self, place: Place, at: int) -> Iterator[Guard]:
        """What was taken over is watched from here, at the newest bar."""
        bot, symbol = place
        bars, session = self._bars.get(symbol), hours_of(symbol, self._terms.sessions).at(at)
        inventory = self._inventory(place)
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
        working = self._account.working(place)
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
            position = self._account.held[place]
            yield CloseNow(
                decision=self._next_decision(place, at),
                side=closing_side(position),
                quantity=self._part_of(place, position.copy_abs()),
                reason=reason,
            )

    def _part_of(self, place: Place, quantity: Decimal) -> Decimal:
        """What one order may be for; of a coin that no bars come of, by what it cost."""
        symbol = place[1]
        coin, seen = self._coins.get(symbol), self._bars.get(symbol)
        if coin is None and is_crypto(symbol):
            coin = CoinTerms()  # it is not traded here any more: the venue's bounds are for all
        if coin is None:
            return quantity
        cost = self._inventory(place).average_price
        return coin.part_to_sell(quantity, Decimal(repr(seen[-1].close)) if seen else cost)

    def _inventory(self, place: Place) -> FifoInventory:
        inventory = self._account.inventory(place)
        assert inventory is not None, "it is held"
        return inventory

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
            for each in self._account.working((mismatch.bot, mismatch.symbol))
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

    def _unprotected(
        self, overdue: Mapping[Place, int], coverage: ExitCoverage, now: int
    ) -> Iterator[Unprotected]:
        """What only a halt keeps unprotected is no cause: it would outlast the halt."""
        if not overdue:
            return
        held_back = _held_back(coverage)
        for (bot, symbol), lasts in overdue.items():
            if (bot, symbol) not in held_back and self._may_try(("", symbol), now):
                words = f"{bot} has been without protection for {lasts // SECOND} s"
                yield Unprotected(symbol=symbol, detail=words)

    # What is covered

    def _coverage(self, watched: list[Guard], at: int) -> ExitCoverage:
        self._account.watch(watched)
        if self._loops_since_reading > self._terms.reading_loops_max:
            return self._account.unseen
        return self._account.coverage(at)

    def _count(self, decision: DecisionKey) -> None:
        """How far the numbers of decisions made here have come: they go on from there."""
        key = (decision.bot, decision.symbol, decision.session)
        self._signals[key] = min(self._signals.get(key, 0), decision.signal)


def _held_back(coverage: ExitCoverage) -> frozenset[Place]:
    """What lacks nothing but the end of a halt."""
    return frozenset((line.bot, line.symbol) for line in coverage.lines if line.is_held_back)
