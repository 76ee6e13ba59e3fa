"""The local venue whole: clock, brokerage, market and log, kept in one order on one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol

from hydra.crash_points import reached
from hydra.trading.durations import MINUTE
from hydra.trading.sessions import SessionTable
from hydra.venues.simulated.brokerage.acts import (
    Act,
    CloseEarly,
    HaltSymbol,
    ResumeSymbol,
    SplitSymbol,
)
from hydra.venues.simulated.brokerage.answers import Answered
from hydra.venues.simulated.brokerage.brokerage import Brokerage
from hydra.venues.simulated.brokerage.orders import BrokerOrder, TradeUpdate
from hydra.venues.simulated.brokerage.requests import BrokerRequest
from hydra.venues.simulated.dated_lines import MarketMoved
from hydra.venues.simulated.market.events import (
    BarBegun,
    BarEnded,
    MarketEnded,
    QuoteChanged,
    SessionClosed,
    SessionOpened,
    TapeEvent,
    TradePrinted,
)
from hydra.venues.simulated.market.splits import Split
from hydra.venues.simulated.market.tape import Tape
from hydra.venues.simulated.playback import SKIP_GAPS_OVER
from hydra.venues.simulated.server.agenda import Agenda, Alarm, MarketEvent
from hydra.venues.simulated.server.clock import BadClockOrder, ClockListener, VenueClock
from hydra.venues.simulated.server.listeners import Listeners, Unsubscribe
from hydra.venues.simulated.server.log_lines import (
    ActDone,
    ClockMoved,
    RequestAnswered,
    RequestArrived,
    RequestReceived,
    VenueLine,
)

LEAD_NS = MINUTE
"""How long before the first event of a market its clock begins, and before the next after a night
that is skipped (market time).
"""
LONGEST_WAIT_S = 3600.0
"""Machine seconds after which the player looks at the clock again, whatever it expects."""


class Follower(Protocol):
    """Somebody who is in step with the market."""

    async def through(self) -> None:
        """Wait until it is through with all that it was told, and with what came of that."""

    async def heard(self) -> None:
        """Wait until it has heard how far time runs: else what happens there is in its future."""


class LocalVenue:
    """Everything is called on the loop's own thread; nothing here waits, `move_to` and `run` apart.

    Whoever asks or looks first lets the market happen up to now, so that an answer never is of an
    older moment than the time it bears.
    """

    def __init__(
        self,
        tape: Tape,
        brokerage: Brokerage,
        clock: VenueClock,
        *,
        splits: Sequence[Split] = (),
        skips_nights: bool = False,
        wall_clock: Callable[[], int],
    ) -> None:
        self.tape = tape
        self.splits = tuple(splits)
        """What is known before it happens."""
        self.skips_nights = skips_nights
        self._brokerage = brokerage
        self._clock = clock
        self._wall_clock = wall_clock
        self._record: Callable[[VenueLine], None] = _forget
        self._agenda = Agenda(tape, splits)
        self._requests_seen = 0
        self._arrivals_seen = 0
        self._latest = 0
        self._halted: set[str] = set()
        self._skew = 0
        self._updates: Listeners[TradeUpdate] = Listeners()
        self._market: Listeners[TapeEvent] = Listeners()
        self._acts: Listeners[Act] = Listeners()
        self._clock_changed = asyncio.Event()
        self._moving = asyncio.Lock()
        self.pace: Callable[[], Awaitable[None]] = _give_way
        """Awaited after each event that nobody asked for: whoever listens can keep up."""
        self.frames_out: Callable[[], Awaitable[int]] = _nobody_listens
        """Awaited by who wants all that was told to be on its way; gives how many frames were."""
        self.follower: Follower | None = None
        """Who is in step with the market: time waits for it. None: it waits for nobody."""

    def now(self) -> int:
        """Market time (UTC ns)."""
        return max(self._clock.now(), self._latest)

    def shown_time(self) -> int:
        """Market time as `/v2/clock` tells it: `now`, unless a fault skews it."""
        return self.now() + self._skew

    def at_present(self) -> Brokerage:
        """The brokerage after all that has happened by now: for reads alone."""
        self._come_to_now()
        return self._brokerage

    def order(self, order_id: str) -> BrokerOrder | None:
        """The order of this id as it is, without a look at the clock: also for listeners."""
        return self._brokerage.order(order_id)

    @property
    def sessions(self) -> SessionTable:
        """The exchange's sessions as they are by now."""
        return self._brokerage.sessions

    @property
    def speed(self) -> float:
        """How fast market time runs; 0: it moves only when told."""
        return self._clock.speed

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens in this market."""
        return self._agenda.next_event_at is None

    @property
    def events_seen(self) -> int:
        """How many market events have happened in the venue's life."""
        return self._agenda.events_taken

    @property
    def requests_seen(self) -> int:
        """How many requests have come in the venue's life."""
        return self._requests_seen

    @property
    def arrivals_seen(self) -> int:
        """How many requests to do something have arrived over HTTP in the venue's life."""
        return self._arrivals_seen

    @property
    def executions(self) -> int:
        """How many executions there have been."""
        return self._brokerage.executions

    def note_arrival(self, method: str, target: str, body: str, *, is_whole: bool) -> int:
        """Put a request on record as it came, for a judge; gives the number to answer it by.

        Nothing happens by it: not even the market comes to now.
        """
        self._arrivals_seen += 1
        named = self._brokerage.order(target.partition("?")[0].rpartition("/")[2])
        self._record(
            RequestArrived(
                number=self._arrivals_seen,
                at=self.now(),
                wall_ns=self._wall_clock(),
                events=self.events_seen,
                method=method,
                target=target,
                body=body,
                is_whole=is_whole,
                names="" if named is None else named.client_order_id,
            )
        )
        reached("venue.request.arrived")
        return self._arrivals_seen

    def note_answer(self, number: int, status: int) -> None:
        """Put on record that the request of this number is being answered so."""
        self._record(
            RequestAnswered(
                number=number,
                at=self.now(),
                wall_ns=self._wall_clock(),
                events=self.events_seen,
                status=status,
            )
        )

    def arrived_again(self, line: RequestArrived) -> None:
        """An arrival that is on record already."""
        self._arrivals_seen = line.number

    def receive(self, request: BrokerRequest) -> Answered:
        """A client's request: on record first, then it takes effect and its updates are told."""
        at = self._come_to_now()
        self._requests_seen += 1
        self._record(
            RequestReceived(
                number=self._requests_seen,
                at=at,
                wall_ns=self._wall_clock(),
                events=self.events_seen,
                request=request,
            )
        )
        reached("venue.request.logged")
        answered = self._brokerage.receive(request, at)
        self._tell(answered.updates)
        return answered

    def act(self, act: Act) -> tuple[TradeUpdate, ...]:
        """What no honest venue does, on record like a request. ValueError: it cannot be done."""
        at = self._come_to_now()
        line = ActDone(at=at, wall_ns=self._wall_clock(), events=self.events_seen, act=act)
        # The other way round than a request: one that cannot be done must not be on record, and
        # nobody but whoever asked has been told of it when the line is written.
        updates = self._do(act, at)
        self._record(line)
        self._tell(updates)
        self._acts.tell(act)
        return updates

    def skew_clock(self, by: int) -> None:
        """From now on `/v2/clock` tells a time that is so many ns ahead (or, below 0, behind)."""
        self._skew = by

    async def move_to(self, at: int) -> None:
        """Move the clock forward; all that happens until then has happened when this is over.

        Raises `BadClockOrder` if `at` has passed.
        """
        if at < self.now():
            raise BadClockOrder(
                f"the clock stands at {self.now()} ns and was to go to {at} ns; it never goes back:"
                " give a later time, or begin a venue anew"
            )
        async with self._moving:
            while (moment := self._agenda.next_at) is not None and moment <= at:
                if moment > self._clock.now():
                    self._clock.move_to(moment)
                self._happen_next()
                await self.pace()
            if at > self._clock.now():  # one that runs may be further by now
                self._clock.move_to(at)
            self._come_to_now()
            self._clock_was_moved()

    def run_at(self, speed: float) -> None:
        """Market time runs at this speed from now on; 0: it stands. Raises `BadClockOrder`."""
        self._come_to_now()
        self._clock.run_at(speed)
        self._clock_was_moved()

    async def run(self) -> None:
        """Let the market happen by the clock, until cancelled."""
        while True:
            self._clock_changed.clear()
            await self._catch_up()
            if self.follower is not None:
                if self._clock.speed:
                    if not self._clock.stands:  # somebody made it run just now
                        self._clock.stand_at(self.now())
                    await self.follower.through()
                # What came meanwhile may have moved it, here and below.
                place = self._standing_place()
                self._clock.stand_at(place)
                if self._clock.speed:
                    await self.follower.heard()
                    if self._standing_place() != place:
                        continue
            self._skip_night()
            moment = self._agenda.next_at
            seconds = None if moment is None else self._clock.seconds_until(moment)
            with suppress(TimeoutError):
                await asyncio.wait_for(
                    self._clock_changed.wait(),
                    LONGEST_WAIT_S if seconds is None else min(seconds, LONGEST_WAIT_S),
                )

    def on_updates(self, listener: Callable[[TradeUpdate], None]) -> Unsubscribe:
        """Tell this listener every update of an order, from now on.

        Nobody who is told anything may ask for the present (`at_present`): it is still coming.
        """
        return self._updates.add(listener)

    def on_market(self, listener: Callable[[TapeEvent], None]) -> Unsubscribe:
        """Tell this listener every event of the market, after its effect on orders.

        Of a halted symbol nothing is told.
        """
        return self._market.add(listener)

    def on_clock(self, listener: ClockListener) -> None:
        """See `VenueClock.on_change`."""
        self._clock.on_change(listener)

    def on_acts(self, listener: Callable[[Act], None]) -> Unsubscribe:
        """Tell this listener what the venue was made to do."""
        return self._acts.add(listener)

    def wake_at(self, at: int, ring: Callable[[], None]) -> None:
        """Call this once, when market time has come to `at` or, over a skipped night, later."""
        self._agenda.add(Alarm(at, ring))
        self._clock_changed.set()

    def record_in(self, record: Callable[[VenueLine], None]) -> None:
        """From now on this is where lines go on record; until then they are not kept."""
        self._record = record

    def happen_until(self, events: int) -> None:
        """Let so many events of the market have happened, or as many as there are."""
        agenda = self._agenda
        while agenda.events_taken < events and agenda.next_event_at is not None:
            self._happen(agenda.take_event())

    def come_to(self, at: int) -> None:
        """Let everything have happened that happens up to market time `at`, though not the clock.

        Whatever was to be told goes to whoever listens.
        """
        while (moment := self._agenda.next_at) is not None and moment <= at:
            self._happen_next()
        self._latest = max(self._latest, at)
        self._moved(self._brokerage.come_to(self._latest), self._latest)

    def come_again_to(self, at: int) -> None:
        """What time alone brings, on the way to a line of the log at `at`.

        While events of that moment are still to come, it is they that bring it.
        """
        next_event_at = self._agenda.next_event_at
        if next_event_at is None or next_event_at > at:
            self._latest = max(self._latest, at)
            self._brokerage.come_to(self._latest)

    def receive_again(self, line: RequestReceived) -> None:
        """A request that is on record already."""
        self.come_again_to(line.at)
        self._requests_seen += 1
        self._brokerage.receive(line.request, line.at)

    def act_again(self, line: ActDone) -> None:
        """An act that is on record already. ValueError: it cannot be done."""
        self.come_again_to(line.at)
        self._do(line.act, line.at)

    async def _catch_up(self) -> None:
        """Let everything happen that is due; where that is much, others get a turn in between."""
        while (moment := self._agenda.next_at) is not None and moment <= self.now():
            self._happen_next()
            await self.pace()
        self._come_to_now()

    def _standing_place(self) -> int | None:
        """Where time is to stand still next; None: nothing more happens."""
        moment = self._agenda.next_at
        return None if moment is None else max(moment, self.now())

    def _come_to_now(self) -> int:
        now = self.now()
        self.come_to(now)
        return now

    def _happen_next(self) -> None:
        happening = self._agenda.take()
        if not isinstance(happening, Alarm):
            self._happen(happening)
            return
        self._latest = max(self._latest, happening.at)
        self._moved(self._brokerage.come_to(self._latest), self._latest)
        happening.ring()

    def _happen(self, event: MarketEvent) -> None:
        self._latest = max(self._latest, event.at)
        self._moved(self._effect_of(event), event.at)
        if self._market and not isinstance(event, Split) and not self._is_halted(event):
            self._market.tell(event)

    def _effect_of(self, event: MarketEvent) -> tuple[TradeUpdate, ...]:
        brokerage = self._brokerage
        match event:
            case Split():
                act = SplitSymbol(symbol=event.symbol, new=event.new, old=event.old)
                return (*brokerage.come_to(event.at), *brokerage.act(act, event.at))
            case BarBegun():
                return (
                    *brokerage.come_to(event.at),
                    *brokerage.bar_begins(event.bar, event.at),
                )
            case BarEnded():
                # Not `come_to` first: what rests until the close may still execute in this bar.
                return brokerage.bar_ends(event.bar)
            case SessionOpened() | SessionClosed() | MarketEnded():
                return brokerage.come_to(event.at)
            case QuoteChanged() | TradePrinted():
                return ()

    def _moved(self, updates: tuple[TradeUpdate, ...], at: int) -> None:
        """What somebody is told because of the market must still be so after a restart."""
        if not updates or self._record is _forget:  # while it is rebuilt there is nobody to tell
            self._tell(updates)
            return
        reached("venue.market.before")
        self._record(
            MarketMoved(
                at=at,
                wall_ns=self._wall_clock(),
                events=self.events_seen,
                executions=self._brokerage.executions,
            )
        )
        reached("venue.market.logged")
        self._tell(updates)

    def _tell(self, updates: tuple[TradeUpdate, ...]) -> None:
        for update in updates:
            self._updates.tell(update)

    def _do(self, act: Act, at: int) -> tuple[TradeUpdate, ...]:
        updates = self._brokerage.act(act, at)
        match act:
            case HaltSymbol():
                self._halted.add(act.symbol)
            case ResumeSymbol():
                self._halted.discard(act.symbol)
            case CloseEarly():
                self.wake_at(act.at, _do_nothing)
            case _:
                pass  # the brokerage's affair alone
        return updates

    def _is_halted(self, event: TapeEvent) -> bool:
        match event:
            case BarBegun() | BarEnded():
                return event.bar.symbol in self._halted
            case QuoteChanged() | TradePrinted():
                return event.symbol in self._halted
            case _:
                return False

    def _clock_was_moved(self) -> None:
        self._record(
            ClockMoved(
                at=self.now(),
                wall_ns=self._wall_clock(),
                events=self.events_seen,
                speed=self._clock.speed,
            )
        )
        self._clock_changed.set()

    def _skip_night(self) -> None:
        """Where nothing happens for long, go to a minute before the next thing that does."""
        next_event_at = self._agenda.next_event_at
        if not (self.skips_nights and self._clock.speed) or next_event_at is None:
            return
        target = next_event_at - LEAD_NS
        is_long = next_event_at - self._agenda.newest_event_at > SKIP_GAPS_OVER
        if is_long and target > self._clock.now():
            self._clock.move_to(target)


def _forget(line: VenueLine) -> None:
    """For a venue that keeps no state."""


def _do_nothing() -> None:
    """That time has come is all: the brokerage has been told."""


async def _give_way() -> None:
    await asyncio.sleep(0)


async def _nobody_listens() -> int:
    return 0
