"""What an engine leaves that traded and was killed, or that ended in order: record and venue.

It is the engine itself, on threads and over the adapter as in every run, but without its bots: the
test's own hand trades in their names. The venue is served from this process and stands still but
for what the test lets happen, also after the engine's end: the next one begins where this one was.
Where no bars are given the market is the generated one, which `--data` need not name.
"""

import atexit
import io
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from functools import cache, partial
from pathlib import Path
from time import monotonic, sleep, time_ns

import msgspec

from hydra.actor import MINUTE, SECOND
from hydra.ops.broker_market import BrokerMarket
from hydra.ops.embedded import LEAD, market_goes_on
from hydra.ops.embedded_account import embedded_run
from hydra.ops.ending import LastResort
from hydra.ops.generated_market import generated_market
from hydra.ops.session import RunOptions, Session
from hydra.runtime.clock import FollowedClock, machine_time
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.settings.secret import Secret
from hydra.store.engine_files import EngineFiles
from hydra.store.journal import read_journal
from hydra.store.record import EngineRecord, Owner
from hydra.testkit.judge.looked_at import LookedAt
from hydra.trading.flatten import Phase
from hydra.trading.instruments import instrument
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import DecisionKey, OrderType, Role, Side
from hydra.trading.trading_state import TradingState
from hydra.venues.alpaca.access import Access, local_addresses
from hydra.venues.alpaca.network import Network
from hydra.venues.market_sessions import exchange_sessions
from hydra.venues.simulated.brokerage import words
from hydra.venues.simulated.brokerage.books import Trade
from hydra.venues.simulated.brokerage.brokerage import Brokerage
from hydra.venues.simulated.brokerage.queries import OrderQuery
from hydra.venues.simulated.brokerage.requests import PlaceOrder
from hydra.venues.simulated.brokerage.terms import ACCOUNT_NUMBER
from hydra.venues.simulated.market.tape import open_tape
from hydra.venues.simulated.market_data import (
    GENERATED_DATE,
    MarketData,
    from_file,
)
from hydra.venues.simulated.request_log import SealedFile, read_lines
from hydra.venues.simulated.server.app import AppTerms
from hydra.venues.simulated.server.driver import LocalVenue
from hydra.venues.simulated.server.log_lines import FORMAT, RequestReceived, VenueLine
from hydra.venues.simulated.server.rebuild import ClockTerms, Source, open_venue, terms_of
from hydra.venues.simulated.server.rest.keys import ApiKeys
from messages.control import Flatten, FlattenReported, ReportFlatten
from messages.orders import OrderIntent
from messages.positions import (
    BookRecovered,
    GuardedOrder,
    OpenOrdersRecovered,
    RecoverBook,
    RecoverOpenOrders,
)
from supervisors import paths
from tests.contracts.venues.served import Served
from tests.engine.harness import without_bots
from tests.engine.scenery import shipped_settings
from tests.ops.control.engines import files_in
from tests.venues.server.kit import FREE, PATIENCE_S, TOKEN

AAPL = "AAPL"
SPEED = 60.0
"""As fast as the run was that left it: a bar lasts a second, and the session minutes."""
KEYS = ApiKeys("HYDRA0001", "a-secret")
ANY_AGE = 24 * 60 * MINUTE


class Left(msgspec.Struct, frozen=True):
    """An engine's files, and the market that its account is in."""

    files: EngineFiles
    data: MarketData
    seed: int

    @property
    def brokerage(self) -> Brokerage:
        """The venue as it was left; of its files nothing is changed."""
        lines = read_lines(self.files.venue_account, FORMAT)
        log = LookedAt(self.files.venue_account, lines, FORMAT)
        return self.venue(log, lambda: 0).at_present()

    def venue(self, log: SealedFile[VenueLine], wall_clock: Callable[[], int]) -> LocalVenue:
        """The venue of this log; it stands still."""
        terms = terms_of(self.data, self.seed)
        return open_venue(
            log,
            open_tape(self.data, terms.market, self.files.cache),
            Source(origin=self.data.origin, digest=self.data.digest),
            terms,
            ClockTerms(speed=0.0, skips_nights=True),
            machine_time=machine_time,
            wall_clock=wall_clock,
        )

    @contextmanager
    def served(self) -> Iterator[Served]:
        """Its venue on a loopback port, as a process of its own would serve it."""
        log = SealedFile.of(self.files.venue_account, FORMAT)
        try:
            terms = AppTerms(keys=KEYS, rest=FREE, admin_token=TOKEN)
            served = Served(self.venue(log, time_ns), terms)
            try:
                yield served
            finally:
                served.close()
        finally:
            log.close()

    def goes_on(self, until: int) -> None:
        """Nobody is there, and the market comes to `until`."""
        with self.served() as served:
            served.run(served.venue.move_to(until))

    @property
    def positions(self) -> dict[str, Decimal]:
        """What the account holds at the venue."""
        return {each.symbol: each.quantity for each in self.brokerage.positions()}

    @property
    def resting(self) -> list[str]:
        """The names of all orders that work at the venue."""
        return [each.client_order_id for each in self.brokerage.orders(OrderQuery())]

    @property
    def fills(self) -> tuple[Trade, ...]:
        """All that was ever executed at the venue."""
        return tuple(self.brokerage.trades)

    @property
    def submitted(self) -> list[PlaceOrder]:
        """Every order that ever came to the venue, in order."""
        return [
            line.request
            for line in read_lines(self.files.venue_account, FORMAT)
            if isinstance(line, RequestReceived) and isinstance(line.request, PlaceOrder)
        ]

    @contextmanager
    def record(self) -> Iterator[EngineRecord]:
        """Opened as an engine does it, and left as after a kill."""
        record = EngineRecord.open(self.files, _owner(self.data), goes_on=lambda _: True)
        try:
            yield record
        finally:
            record.close()


class Hand:
    """Trades in a bot's name, and in a stranger's, while the engine is there."""

    def __init__(self, left: Left, runtime: ThreadRuntime, served: Served) -> None:
        self.served = served
        self._left = left
        self._runtime = runtime
        self._signals = 100

    def wait(self, minutes: int) -> None:
        """The market goes on, and all that it says is heard."""
        self.come_to(self.served.venue.now() + minutes * MINUTE)

    def come_to(self, at: int) -> None:
        """The same, up to a moment."""
        self.served.run(self.served.venue.move_to(at))
        bars = [bar.end_at for bar in self._left.data.bars if bar.end_at <= at]
        self._until(lambda: not bars or self._feed()["newest_at"] == bars[-1], "the newest bar")
        self._until(lambda: not self._feed()["unready"], "a price that counts")
        self._until(lambda: self._fills_heard() == self._fills_made(), "every fill")
        assert self._runtime.settle(within=PATIENCE_S)

    def buy(self, quantity: int, *, bot: str = "mom_AAPL", limit: Decimal | None = None) -> None:
        """An entry of this bot, which the venue has taken when this is over."""
        now = self.served.venue.now()
        bars = [bar for bar in self._left.data.bars if bar.symbol == AAPL]
        closes = [bar.close for bar in bars if bar.end_at <= now]
        price = Decimal(str(closes[-1]))
        self._signals += 1
        key = DecisionKey(
            bot=bot, symbol=AAPL, session="a-test", signal=self._signals, role=Role.ENTRY
        )
        intent = OrderIntent(
            decision=key,
            side=Side.BUY,
            quantity=Decimal(quantity),
            reason="a test",
            decided_at=now,
            reference_price=price,
            order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            limit_price=limit,
            protective_stop=((limit or price) * Decimal("0.99")).quantize(Decimal("0.01")),
        )
        self._runtime.tell(paths.RISK_GUARDIAN, intent)
        self._until(lambda: self._is_accepted(key), f"an acceptance of {key}")

    def bought_by_a_stranger(self, quantity: int, limit: Decimal | None = None) -> None:
        """An order at the venue that the engine knows nothing of."""
        order = PlaceOrder(
            client_order_id="by-hand-1",
            symbol=AAPL,
            side=Side.BUY,
            quantity=Decimal(quantity),
            order_type=words.OrderType.MARKET if limit is None else words.OrderType.LIMIT,
            time_in_force=words.TimeInForce.DAY,
            limit_price=limit,
        )
        self.served.do(lambda: self.served.venue.receive(order))

    def flattens(self) -> FlattenReported:
        """An operator's flatten, which is over when this is."""
        self._ask_flattener(Flatten(reason="enough", operator="ada"))
        self._until(lambda: not Phase(self._flatten().phase).is_under_way, "the flatten's end")
        return self._flatten()

    def _flatten(self) -> FlattenReported:
        return self._ask_flattener(ReportFlatten())

    def _ask_flattener(self, question: Flatten | ReportFlatten) -> FlattenReported:
        report = self._runtime.ask(paths.FLATTENER, question, within=PATIENCE_S)
        assert isinstance(report, FlattenReported)
        return report

    def becomes_ready(self) -> None:
        """Wait until the gate is open, and nothing may have been missed on the stream."""
        gate = self._runtime.gate
        self._until(lambda: gate.state is TradingState.ACTIVE, "an open gate")
        self._until(lambda: gate.lease_left() > SECOND, "the guardian's lease")
        self._until(self._hears_prices, "the stream of prices")
        self._until(self._has_compared_since_it_hears, "a comparison after the stream began")

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = monotonic() + PATIENCE_S
        while not holds():
            assert monotonic() < deadline, f"{what} did not come: {self._what_was_said()}"
            sleep(0.005)

    def _what_was_said(self) -> list[str]:
        """By those who keep orders back, for whoever finds out why one did not come."""
        telling = ("order_denied", "report_stored", "reconciled")
        lines = [
            each for each in read_journal(self._left.files.journal) if each["event"] in telling
        ]
        return [str(line) for line in lines[-3:]]

    def _feed(self) -> Mapping[str, object]:
        feed = self._runtime.cells[paths.DATA_FEED.path].actor
        assert feed is not None
        return feed.state_view()

    def _hears_prices(self) -> bool:
        """All streams are there: a price that was told before is not told again."""
        lines = read_journal(self._left.files.journal)
        kinds = {instrument(symbol) for symbol in self._left.data.symbols}
        heard = {line["stream"] for line in lines if line["event"] == "stream_connected"}
        return len(heard) >= 1 + len(kinds)  # that of orders, and one for each kind of prices

    def _is_accepted(self, key: DecisionKey) -> bool:
        at_venue = (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)
        return any(
            each.intent.decision == key and each.state.status in at_venue
            for each in self._open_orders()
        ) or any(each.decision == key and each.filled_quantity for each in self._book().orders)

    def _has_compared_since_it_hears(self) -> bool:
        return any(
            line["event"] == "reconciled" and "of the trading stream began" in str(line["reasons"])
            for line in read_journal(self._left.files.journal)
        )

    def _open_orders(self) -> tuple[GuardedOrder, ...]:
        found = self._runtime.ask(paths.STATE_PERSISTER, RecoverOpenOrders(), within=PATIENCE_S)
        assert isinstance(found, OpenOrdersRecovered)
        return found.orders

    def _fills_heard(self) -> int:
        return len(self._book().fills)

    def _book(self) -> BookRecovered:
        book = self._runtime.ask(paths.STATE_PERSISTER, RecoverBook(), within=PATIENCE_S)
        assert isinstance(book, BookRecovered)
        return book

    def _fills_made(self) -> int:
        """At the venue, of orders that the engine knows of."""
        brokerage = self.served.do(self.served.venue.at_present)
        names = [self.served.venue.order(trade.order_id) for trade in brokerage.trades]
        return sum(order is not None and order.client_order_id != "by-hand-1" for order in names)


def bars_file(folder: Path, days: dict[str, list[float]]) -> Path:
    """Closes of the minute bars from the open (13:30 UTC) on, by day, as `--data` can name them."""
    rows = ["ts_utc,open,high,low,close,volume"]
    for day, closes in days.items():
        for minute, close in enumerate(closes):
            rows.append(f"{day}T13:{30 + minute:02d}:00Z,{close},{close},{close},{close},1000")
    path = folder / "AAPL_test.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def begun(folder: Path, bars: Path | None = None, *, seed: int = 0) -> Left:
    """Files of an engine that there are none of yet; without bars in a generated market."""
    files = files_in(folder)
    if not files.cache.exists():
        files.cache.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copytree(_calendar(), files.cache)
    data = (
        generated_market(shipped_settings(), seed, files.cache, is_virtual=False)
        if bars is None
        else from_file(bars, files.cache)
    )
    return Left(files, data, seed)


def opens_at(data: MarketData) -> int:
    """When the first session begins. Coins are traded before."""
    return next(bar.start_at for bar in data.bars if bar.symbol == AAPL)


@contextmanager
def engine(
    left: Left, minutes: int, *, in_order: bool = False, speed: float = SPEED
) -> Iterator[Hand]:
    """An engine that has come so far into the first session when the block begins. It takes two
    more minutes, and is killed then, unless it ends `in_order`.
    """
    data = left.data
    goes_on = market_goes_on(left.files, data, seed=left.seed, is_virtual=False)
    record = EngineRecord.open(left.files, _owner(data), goes_on=goes_on)
    try:
        with left.served() as served:
            venue = served.venue
            # It ran at this speed, if only for an instant.
            for running in (speed, 0.0):
                served.do(partial(venue.run_at, running))
            with _running(left, record, served, in_order=in_order) as hand:
                hand.come_to(opens_at(data) + minutes * MINUTE + 5 * SECOND)
                yield hand
                hand.wait(2)
            if in_order:
                record.end("a test", served.venue.now())
    finally:
        record.close()


@contextmanager
def _running(left: Left, record: EngineRecord, served: Served, *, in_order: bool) -> Iterator[Hand]:
    clock = FollowedClock(0)
    served.do(lambda: served.venue.on_clock(clock.follow))
    access = Access(
        local_addresses(served.url),
        Secret(KEYS.key_id),
        Secret(KEYS.secret),
        Network(loopback_only=True),
    )
    market = BrokerMarket(access, left.data, clock, ANY_AGE)
    runtime = ThreadRuntime(journal=paths.JOURNAL_WRITER, market_clock=clock)
    session = Session(
        shipped_settings(),
        left.files,
        RunOptions(seed=left.seed, speed=SPEED, dry_run=False),
        record,
        embedded_run(left.data, ACCOUNT_NUMBER, clock.at(0)),
        io.StringIO(),
        LastResort(),
    )
    try:
        tree = market.assemble(session, runtime, {})
        runtime.start_watch()
        assert runtime.start_and_wait(without_bots(tree), within=PATIENCE_S)
        market.connect()
        hand = Hand(left, runtime, served)
        hand.becomes_ready()
        yield hand
        if in_order:
            assert runtime.stop_tree("a test", within=PATIENCE_S)
    finally:
        market.close(1.0)
        runtime.stop_tree("it is killed: nothing of this is on record", within=PATIENCE_S)
        runtime.close()


def holding(folder: Path, quantity: int = 8, *, in_order: bool = False) -> Left:
    """An engine that was killed while a bot held so many shares."""
    _copy_of(_held(quantity, in_order), folder)
    left = begun(folder)
    assert left.positions == {AAPL: quantity}
    return left


def with_a_stranger(folder: Path, *, in_order: bool = False) -> Left:
    """A bot holds 8 shares; 5 more are in the account, for which nobody of ours paid."""
    _copy_of(_held_by_two(in_order), folder)
    left = begun(folder)
    assert left.positions == {AAPL: 13}
    return left


@cache
def _held(quantity: int, in_order: bool) -> Path:
    folder = _folder()
    with engine(begun(folder), minutes=10, in_order=in_order) as hand:
        hand.buy(quantity)
    return folder


@cache
def _held_by_two(in_order: bool) -> Path:
    folder = _folder()
    with engine(begun(folder), minutes=10, in_order=in_order) as hand:
        hand.buy(8)
        hand.wait(2)
        hand.bought_by_a_stranger(5)
    return folder


@cache
def _calendar() -> Path:
    """A cache of the exchange's sessions: to compute them takes longer than all else."""
    folder = _folder()
    for date in (GENERATED_DATE, "2016-04-15"):
        exchange_sessions(date, date, folder)
    return folder


def _folder() -> Path:
    """For what is made once; gone with the process."""
    folder = Path(tempfile.mkdtemp(prefix="hydra-left-behind-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _copy_of(folder: Path, into: Path) -> None:
    shutil.copytree(folder, into, dirs_exist_ok=True)


def _owner(data: MarketData) -> Owner:
    return Owner(
        venue="embedded",
        account=ACCOUNT_NUMBER,
        version="0.1.0",
        configuration="digest",
        at=data.begins_at - LEAD,
    )
