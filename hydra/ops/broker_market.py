"""The market of a live session behind Alpaca's protocols, whoever speaks them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic

from hydra.actor import Ref
from hydra.assembly import Tree, assemble_on, tell_gateway
from hydra.ops.calendar_watch import CalendarWatch
from hydra.ops.repeated_look import RepeatedLook
from hydra.ops.session import Session
from hydra.ops.stream_watch import StreamWatch
from hydra.ports import Service, Venue
from hydra.runtime.clock import MarketClock, machine_time
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.settings import Settings
from hydra.terms import MarketFacts, history_of, plans_of
from hydra.trading.account_reading import AccountStatement
from hydra.trading.causes import API_FAILURES
from hydra.trading.fees import ALPACA_FEES
from hydra.venues.alpaca.access import Access
from hydra.venues.alpaca.calendar import CalendarSeen
from hydra.venues.alpaca.link import AlpacaLink
from hydra.venues.alpaca.reads import ReadFailed
from hydra.venues.alpaca.statement import read_statement
from hydra.venues.alpaca.venue import AlpacaTerms, AlpacaVenue
from hydra.venues.dry_run import DryRun
from messages.market import FeedEnded
from messages.message import Message
from supervisors import paths


class BrokerMarket:
    """See `LiveMarket`. `clock` is market time; `price_age_max` (machine ns) is for how long a
    price counts.
    """

    def __init__(
        self,
        access: Access,
        facts: MarketFacts,
        clock: MarketClock,
        price_age_max: int,
        minutes_by: Callable[[], int] = machine_time,
    ) -> None:
        """`minutes_by` as of `Calls`: by which clock the broker counts requests."""
        self.clock = clock
        self._access = access
        self._facts = facts
        self._price_age_max = price_age_max
        self._minutes_by = minutes_by
        self._link: AlpacaLink | None = None
        self._watch: StreamWatch | None = None
        self._read_calendar: Callable[[], CalendarSeen] | None = None
        self._calendar_watch: CalendarWatch | None = None
        self._tell_feed: Callable[[Message], None] | None = None

    def watch_calendar(self, read: Callable[[], CalendarSeen]) -> None:
        """Hold the broker's calendar against ours from the start on; to be said before that.

        `read` asks for it, see `seen_calendar`. Whoever enters nothing needs no such watch.
        """
        self._read_calendar = read

    def assemble(
        self, session: Session, runtime: ThreadRuntime, services: Mapping[str, Service]
    ) -> Tree:
        """See `LiveMarket.assemble`."""
        settings, voice = session.settings, runtime.outside("market")
        plans = plans_of(settings, self._facts)
        self._tell_feed = lambda message: voice.tell(paths.DATA_FEED, message)
        link = AlpacaLink(
            self._access,
            runtime.gate,
            symbols=set(plans.symbols),
            terms=venue_terms(settings),
            history_bars=max(history_of(plans.all).values(), default=0),
            market_time=lambda: self.clock.at(machine_time()),
            machine_time=machine_time,
            minutes_by=self._minutes_by,
            tell_gateway=tell_gateway(runtime),
            tell_feed=self._tell_feed,
            tell=lambda path, message: voice.tell(Ref(path), message),
        )
        self._link = link
        self._watch = StreamWatch(
            runtime, trading={"trading stream": link.trading_stream}, prices={"prices": link.feed}
        )
        session.conditions.watches += [self._watch, _Failing(link.venue)]
        if self._read_calendar is not None:
            self._calendar_watch = CalendarWatch(runtime, self._read_calendar, session.say)
            self._calendar_watch.look_once()
            session.conditions.watches.append(self._calendar_watch)
        venue: Venue = DryRun(link.venue) if session.options.dry_run else link.venue
        return assemble_on(
            settings,
            self._facts,
            runtime=runtime,
            venue=venue,
            account=session.market.account,
            ledger=session.record.ledger,
            journal=session.record.journal,
            conditions=session.conditions,
            services=services,
            price_feed=link.feed,
            price_age_max=self._price_age_max,
            option_chains=link.chains,
            corporate_actions=link.actions if settings.broker.corporate_actions else None,
            fees=ALPACA_FEES,
            signals=session.signals,
            uncertified=session.uncertified,
        )

    def connect(self) -> None:
        """See `LiveMarket.connect`."""
        assert self._link is not None and self._watch is not None, "it was assembled"
        self._link.start()
        self._watch.start()
        if self._calendar_watch is not None:
            self._calendar_watch.start()

    def open(self, finished: Callable[[str | None], None]) -> None:
        """See `LiveMarket.open`. The broker's market goes its own way, and never ends."""

    def close(self, within_s: float) -> None:
        """See `LiveMarket.close`."""
        deadline = monotonic() + within_s
        watches: tuple[RepeatedLook | None, ...] = (self._watch, self._calendar_watch)
        self._watch = self._calendar_watch = None
        for watch in watches:  # what stops because it was asked to is not overdue
            if watch is not None:
                watch.stop(max(0.0, deadline - monotonic()))
        if self._link is not None:
            self._link.stop_prices(max(0.0, deadline - monotonic()))

    def settle(self, within_s: float) -> bool:
        """See `LiveMarket.settle`."""
        return self._link is None or self._link.venue.settle(within_s)

    @property
    def frames_heard(self) -> int:
        """See `AlpacaLink.frames_heard`."""
        return 0 if self._link is None else self._link.frames_heard

    @property
    def is_idle(self) -> bool:
        """See `AlpacaLink.is_idle`."""
        return self._link is None or self._link.is_idle

    def disconnect(self, within_s: float) -> None:
        """See `LiveMarket.disconnect`."""
        self.close(within_s)
        link, self._link = self._link, None
        if link is not None:
            link.stop(within_s)

    def read_account(self, since: int | None, deadline: float) -> AccountStatement:
        """See `LiveMarket.read_account`."""
        link = self._link
        if link is None:
            raise ReadFailed("the engine is not connected to the venue")
        return read_statement(link.venue.calls, since, deadline=deadline)

    def last_words(self) -> tuple[str, ...]:
        """See `LiveMarket.last_words`. A broker's market waits for nobody."""
        return ()

    def feed_ended(self, at: int) -> None:
        """Tell the engine that no price comes any more, because the market is over."""
        if self._tell_feed is not None:
            self._tell_feed(FeedEnded(at=at))


class _Failing:
    """The condition that the broker's API fails, for as long as it does."""

    def __init__(self, venue: AlpacaVenue) -> None:
        self._venue = venue

    @property
    def present(self) -> frozenset[str]:
        return frozenset({API_FAILURES.code}) if self._venue.is_failing else frozenset()


def venue_terms(settings: Settings) -> AlpacaTerms:
    """What the settings say of how the broker is spoken to, and when it counts as failing."""
    coins, health = settings.cryptobot, settings.health
    return AlpacaTerms(
        trades_crypto=coins.enabled and bool(coins.pairs),
        failures_max=health.max_api_failures_in_window,
        failures_window_s=health.api_failure_window_seconds,
        failures_halt=settings.exitbot.kill_conditions.api_failure_halt,
    )
