"""What an engine leaves that traded and was killed, or that ended in order: record and venue.

It is the engine itself, in virtual time and without its bots; the test's own hand trades in their
names. Where no bars are given the market is the generated one, which `--data` need not name.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import takewhile
from pathlib import Path

import msgspec

from hydra.actor import MINUTE, SECOND
from hydra.assembly import assemble
from hydra.ops.embedded import LEAD, market_goes_on, open_venue
from hydra.runtime.sim_runtime import SimRuntime
from hydra.store.engine_files import EngineFiles
from hydra.store.record import EngineRecord, Owner
from hydra.trading.orders import (
    DecisionKey,
    Fill,
    Order,
    OrderType,
    Role,
    Side,
    TimeInForce,
)
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.log_lines import RequestReceived
from hydra.venues.simulated.market_data import MarketData, from_file, generated
from hydra.venues.simulated.playback import market_events
from hydra.venues.simulated.rebuild import open_exchange
from hydra.venues.simulated.request_log import FileLog, read_log
from hydra.venues.simulated.requests import Submit
from hydra.venues.simulated.terms import EMBEDDED_ACCOUNT
from messages.orders import OrderIntent
from supervisors import paths
from tests.engine.harness import without_bots
from tests.engine.scenery import shipped_settings
from tests.ops.control.engines import files_in

AAPL = "AAPL"


class Left(msgspec.Struct, frozen=True):
    """An engine's files, and the market that its account is in."""

    files: EngineFiles
    data: MarketData
    seed: int

    def venue(self, until: int = 0) -> SimulatedExchange:
        """The venue as the next one finds it; then its market has gone on, at least so far."""
        log = FileLog.open(self.files.venue_log)
        try:
            return open_exchange(
                log, self.data, until=until, seed=0, speed=None, wall_clock=lambda: 0
            )
        finally:
            log.close()

    @property
    def positions(self) -> dict[str, Decimal]:
        """What the account holds at the venue."""
        return {each.symbol: each.quantity for each in self.venue().engine.account.positions()}

    @property
    def resting(self) -> list[str]:
        """The names of all orders that work at the venue."""
        return [each.order.client_order_id for each in self.venue().engine.open_orders]

    @property
    def fills(self) -> tuple[Fill, ...]:
        """All that was ever executed at the venue."""
        return self.venue().engine.snapshot(self.data.bars[-1].end_at, 0).fills

    @property
    def submitted(self) -> list[Order]:
        """Every order that ever came to the venue, in order."""
        return [
            line.request.order
            for line in read_log(self.files.venue_log)
            if isinstance(line, RequestReceived) and isinstance(line.request, Submit)
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

    def __init__(
        self, runtime: SimRuntime, exchange: SimulatedExchange, run_to: Callable[[int], None]
    ) -> None:
        self._runtime = runtime
        self._exchange = exchange
        self._run_to = run_to
        self._signals = 100

    def wait(self, minutes: int) -> None:
        """The market goes on."""
        self._run_to(self._runtime.now() + minutes * MINUTE)

    def buy(self, quantity: int, *, bot: str = "mom_AAPL", limit: Decimal | None = None) -> None:
        """An entry of this bot."""
        price = self._exchange.engine.account.last_price(AAPL)
        assert price is not None, "the market has begun"
        self._signals += 1
        key = DecisionKey(
            bot=bot, symbol=AAPL, session="a-test", signal=self._signals, role=Role.ENTRY
        )
        intent = OrderIntent(
            decision=key,
            side=Side.BUY,
            quantity=Decimal(quantity),
            reason="a test",
            decided_at=self._runtime.now(),
            reference_price=price,
            order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            limit_price=limit,
            protective_stop=((limit or price) * Decimal("0.99")).quantize(Decimal("0.01")),
        )
        self._runtime.tell(paths.RISK_GUARDIAN, intent)
        self._runtime.settle()

    def bought_by_a_stranger(self, quantity: int, limit: Decimal | None = None) -> None:
        """An order at the venue that the engine knows nothing of."""
        order = Order(
            client_order_id="by-hand-1",
            symbol=AAPL,
            side=Side.BUY,
            quantity=Decimal(quantity),
            order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            time_in_force=TimeInForce.DAY,
            limit_price=limit,
        )
        self._exchange.receive(Submit(order), self._runtime.now())


def bars_file(folder: Path, days: dict[str, list[float]]) -> Path:
    """Closes of minute bars from 14:00 UTC on, by day, as a file that `--data` can name."""
    rows = ["ts_utc,open,high,low,close,volume"]
    for day, closes in days.items():
        for minute, close in enumerate(closes):
            rows.append(f"{day}T14:{minute:02d}:00Z,{close},{close},{close},{close},1000")
    path = folder / "AAPL_test.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def begun(folder: Path, bars: Path | None = None, *, seed: int = 0) -> Left:
    """Files of an engine that there are none of yet; without bars in a generated market."""
    files = files_in(folder)
    cache = files.cache
    data = generated((AAPL,), seed, cache) if bars is None else from_file(bars, cache)
    return Left(files, data, seed)


@contextmanager
def engine(left: Left, minutes: int, *, in_order: bool = False) -> Iterator[Hand]:
    """An engine that has come so far into the first session when the block begins. It takes two
    more minutes, and is killed then, unless it ends `in_order`.
    """
    data = left.data
    record = EngineRecord.open(left.files, _owner(data), goes_on=market_goes_on(left.files, data))
    venue = open_venue(left.files, data, seed=left.seed, speed=None, wall_clock=lambda: 0)
    runtime = SimRuntime(journal=paths.JOURNAL_WRITER, start_at=venue.at)
    built = assemble(
        shipped_settings(),
        data,
        runtime=runtime,
        market_time=runtime.now,
        ledger=record.ledger,
        journal=record.journal,
        exchange=venue.exchange,
    )

    def run_to(at: int) -> None:
        events = market_events(data.bars, data.sessions, venue.exchange.events_seen)
        due = takewhile(lambda event: event[0] <= at, events)
        runtime.play(due, built.market.happen)
        runtime.advance(max(0, at - runtime.now()))

    try:
        runtime.start_root(without_bots(built))
        runtime.advance(SECOND)
        run_to(data.begins_at + minutes * MINUTE + 5 * SECOND)
        hand = Hand(runtime, venue.exchange, run_to)
        yield hand
        hand.wait(2)
        if in_order:
            record.end("a test", runtime.now())
    finally:
        venue.log.close()
        record.close()


def holding(folder: Path, quantity: int = 8, *, in_order: bool = False) -> Left:
    """An engine that was killed while a bot held so many shares."""
    left = begun(folder)
    with engine(left, minutes=10, in_order=in_order) as hand:
        hand.buy(quantity)
    assert left.positions == {AAPL: quantity}
    return left


def _owner(data: MarketData) -> Owner:
    return Owner(
        venue="embedded",
        account=EMBEDDED_ACCOUNT,
        version="0.1.0",
        configuration="digest",
        at=data.begins_at - LEAD,
    )
