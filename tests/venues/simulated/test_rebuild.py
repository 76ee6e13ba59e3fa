"""A venue that was killed and rebuilt is the venue that was never killed."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.trading.bars import Bar
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Side
from hydra.venues.simulated.dated_lines import MarketMoved
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.faults import Delay, Lose
from hydra.venues.simulated.log_lines import (
    LogLine,
    RequestReceived,
    VenueBegan,
    VenueOpened,
)
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.misbehaviour import Misbehaviour, Rule
from hydra.venues.simulated.playback import market_events
from hydra.venues.simulated.random_plan import GRAVE, RECOVERABLE, random_plan
from hydra.venues.simulated.rebuild import open_exchange, play_until, present
from hydra.venues.simulated.request_log import FileLog, VenueLogRefused, read_log
from hydra.venues.simulated.requests import LookUp, Request, Submit, TakeSnapshot
from hydra.venues.simulated.terms import VenueTerms
from messages.orders import OrderFilled
from tests.venues.simulated.draws import SYMBOLS
from tests.venues.simulated.histories import (
    DAY,
    History,
    Step,
    do,
    histories,
    market_of,
    state_of,
    what_is_left,
)
from tests.venues.simulated.orders import MINUTE, gtc, limit, market, of_symbol

BUY = Side.BUY
BEFORE = -1
"""A time at which nothing of a market has begun that begins at 0."""
FLAT = (100.0, 100.0, 100.0, 100.0)
LOW = (95.0, 95.0, 95.0, 95.0)
PLANS = st.integers(min_value=0, max_value=10**6).map(
    lambda seed: random_plan(seed, SYMBOLS, dict.fromkeys((*RECOVERABLE, *GRAVE), 0.3))
)


class Lives:
    """Processes that take a venue up, one after the other; each is killed when the next begins."""

    def __init__(self, path: Path, data: MarketData, plan: Misbehaviour | None = None) -> None:
        self.path = path
        self._data = data
        self._plan = plan
        self._log: FileLog | None = None

    def next(
        self,
        until: int = BEFORE,
        *,
        data: MarketData | None = None,
        plan: Misbehaviour | None = None,
        terms: VenueTerms | None = None,
        speed: float | None = 60.0,
        wall_ns: int = 0,
    ) -> SimulatedExchange:
        """The venue as it is taken up again."""
        self.kill()
        self._log = FileLog.open(self.path)
        return open_exchange(
            self._log,
            data or self._data,
            until=until,
            seed=0,
            speed=speed,
            wall_clock=lambda: wall_ns,
            terms=terms,
            misbehaviour=plan or self._plan,
        )

    def kill(self) -> None:
        """What it was doing is left as it is."""
        if self._log is not None:
            self._log.close()


@contextmanager
def lives_of(data: MarketData, plan: Misbehaviour | None = None) -> Iterator[Lives]:
    """A venue with a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        lives = Lives(Path(folder) / "requests.jsonl", data, plan)
        yield lives
        lives.kill()


@pytest.fixture
def lives() -> Iterator[Lives]:
    with lives_of(DATA) as lives:
        yield lives


def beginnings(path: Path) -> Sequence[bytes]:
    """What was in the file after each of its lines."""
    lines = path.read_bytes().splitlines(keepends=True)
    return [b"".join(lines[:count]) for count in range(len(lines) + 1)]


def without_lives(lines: Sequence[LogLine]) -> list[LogLine]:
    """All lines but those that say that a process took the venue up."""
    return [line for line in lines if not isinstance(line, VenueOpened)]


@settings(max_examples=15, deadline=None)
@given(history=histories(), plan=st.none() | PLANS)
def test_killed_at_any_line_it_comes_out_as_if_it_never_had_been(
    history: History, plan: Misbehaviour | None
) -> None:
    with lives_of(history.data, plan) as lives:
        never_killed = lives.next()
        for step in history.steps:
            do(never_killed, step)
        whole = without_lives(read_log(lives.path))

        for written in beginnings(lives.path):
            lives.path.write_bytes(written)
            rebuilt = lives.next()
            for step in what_is_left(history, rebuilt):
                do(rebuilt, step)

            assert state_of(rebuilt) == state_of(never_killed)
            if plan is None:  # with one, what it kept back when it was killed is never told
                assert without_lives(read_log(lives.path)) == whole


@settings(max_examples=25, deadline=None)
@given(history=histories(), data=st.data())
def test_what_it_tells_afterwards_is_what_it_would_have_told(
    history: History, data: st.DataObject
) -> None:
    with lives_of(history.data) as lives:
        never_killed = lives.next()
        told = [do(never_killed, step) for step in history.steps]
        lives.path.write_bytes(data.draw(st.sampled_from(beginnings(lives.path))))

        rebuilt = lives.next()
        told_again = [do(rebuilt, step) for step in what_is_left(history, rebuilt)]

    assert told_again == told[len(told) - len(told_again) :]


@settings(max_examples=25, deadline=None)
@given(history=histories(), cut=st.integers(0, 60), later=st.integers(0, DAY + 70 * MINUTE))
def test_while_it_was_down_the_market_went_on_as_if_nobody_had_sent_anything(
    history: History, cut: int, later: int
) -> None:
    done = history.steps[:cut]
    until = max((time_of(step) for step in done), default=0) + later
    never_down = SimulatedExchange()
    with lives_of(history.data) as lives:
        killed = lives.next()
        for step in done:
            do(killed, step)
            do(never_down, step)
        skip = never_down.events_seen
        play_until(never_down, market_events(history.data.bars, history.data.sessions, skip), until)

        rebuilt = lives.next(until)

    assert state_of(rebuilt) == state_of(never_down)


def time_of(step: Step) -> int:
    return step.end_at if isinstance(step, Bar) else step.at


@settings(max_examples=15, deadline=None)
@given(history=histories(), lengths=st.lists(st.integers(0, 12), max_size=6))
def test_it_may_be_killed_in_life_after_life_also_while_it_is_rebuilt(
    history: History, lengths: list[int]
) -> None:
    never_killed = SimulatedExchange()
    for step in history.steps:
        do(never_killed, step)
    with lives_of(history.data) as lives:
        for steps in lengths:
            exchange = lives.next()
            for step in list(what_is_left(history, exchange))[:steps]:
                do(exchange, step)
            # The last line is torn, whatever it was: the deed, or that the venue was opened.
            lives.path.write_bytes(lives.path.read_bytes()[:-3])
        last = lives.next()
        for step in what_is_left(history, last):
            do(last, step)

    assert state_of(last) == state_of(never_killed)


DATA = market_of([FLAT, FLAT, LOW, LOW])
"""Two minutes at 100, and two on the next day at 95."""
HOUR = 60 * MINUTE


def sent(exchange: SimulatedExchange, *requests: Request, at: int = BEFORE) -> None:
    for request in requests:
        exchange.receive(request, at)


def test_resting_orders_fill_and_day_orders_expire_while_the_engine_is_down(
    lives: Lives,
) -> None:
    killed = lives.next()
    coin = gtc(of_symbol("BTC/USD", limit("coin", BUY, "96")))
    sent(
        killed,
        Submit(market("at once", BUY)),
        Submit(limit("for the day", BUY, "96")),
        Submit(gtc(limit("over night", BUY, "96"))),
        Submit(coin),
        Submit(gtc(limit("never reached", BUY, "90"))),
    )

    rebuilt = lives.next(until=DAY + MINUTE)

    orders = rebuilt.engine.snapshot(at=DAY + MINUTE, since=0).orders
    assert {order.order.client_order_id: order.status for order in orders} == {
        "at once": OrderStatus.FILLED,
        "for the day": OrderStatus.EXPIRED,
        "over night": OrderStatus.FILLED,
        "coin": OrderStatus.FILLED,
        "never reached": OrderStatus.ACCEPTED,
    }
    assert rebuilt.engine.account.cash == 100_000 - 10 * (100 + 95 + 95)


def test_a_new_venue_has_a_log_that_says_what_it_is(lives: Lives) -> None:
    terms = VenueTerms(account="PA-X", starting_cash=Decimal(5))
    log = FileLog.open(lives.path)

    open_exchange(log, DATA, until=7, seed=3, speed=None, wall_clock=lambda: 9, terms=terms)

    assert read_log(lives.path) == (
        VenueBegan(terms=terms, data_origin="drawn", data_digest=DATA.digest, seed=3),
        VenueOpened(at=7, wall_ns=9, events=2, speed=None),
    )


def test_to_open_it_again_and_again_changes_nothing(lives: Lives) -> None:
    sent(lives.next(), Submit(market("a", BUY)), TakeSnapshot(1, 0))
    first = lives.next(until=HOUR)

    for _ in range(3):
        assert state_of(lives.next(until=HOUR)) == state_of(first)

    assert [type(line) for line in read_log(lives.path)] == [
        VenueBegan,
        VenueOpened,
        RequestReceived,
        RequestReceived,
        *[VenueOpened] * 4,
    ]


def test_what_somebody_was_told_of_is_still_so_even_if_the_clock_says_that_it_is_earlier(
    lives: Lives,
) -> None:
    killed = lives.next()
    sent(killed, Submit(market("a", BUY)))
    first, *_ = market_events(DATA.bars, DATA.sessions)
    play_until(killed, [first], until=0)

    rebuilt = lives.next(until=BEFORE)

    assert rebuilt.engine.account.position("AAPL") == 10
    line = read_log(lives.path)[-1]
    assert isinstance(line, VenueOpened)
    assert (line.at, line.events) == (0, 1)


def test_nobody_is_told_what_happened_before(lives: Lives) -> None:
    plan = Misbehaviour(rules=(Rule(fault=Delay(events=3), times=None),))
    sent(lives.next(plan=plan), Submit(market("a", BUY)))

    rebuilt = lives.next(plan=plan)
    told = [message for bar in DATA.bars[:2] for message in rebuilt.on_bar(bar)]
    late = [message for bar in DATA.bars[2:] for message in rebuilt.on_bar(bar)]

    assert told == []
    assert [type(message) for message in late] == [OrderFilled]  # of after the rebuild


OTHER_DATA = market_of([FLAT, FLAT, LOW, (95.0, 95.01, 95.0, 95.0)])
PLAN = Misbehaviour(rules=(Rule(fault=Lose()),))


@pytest.mark.parametrize(
    ("data", "terms", "plan", "what"),
    [
        (OTHER_DATA, None, None, f"market data {DATA.digest}; wanted {OTHER_DATA.digest}"),
        (DATA, VenueTerms(account="PA-Y"), None, "terms VenueTerms(account='PA-HYDRA-EMBEDDED',"),
        (DATA, VenueTerms(starting_cash=Decimal(1)), None, "terms "),
        (DATA, VenueTerms(slippage_bps=Decimal(1)), None, "terms "),
        (DATA, None, PLAN, f"misbehaviour none; wanted {PLAN.digest}"),
    ],
)
def test_a_log_of_another_venue_is_refused_in_one_line_and_left_as_it_is(
    lives: Lives,
    data: MarketData,
    terms: VenueTerms | None,
    plan: Misbehaviour | None,
    what: str,
) -> None:
    sent(lives.next(), Submit(market("a", BUY)))
    before = lives.path.read_bytes()

    with pytest.raises(VenueLogRefused) as refused:
        lives.next(data=data, terms=terms, plan=plan)

    assert str(refused.value).startswith(f"{lives.path}: found a venue with {what}")
    assert str(refused.value).endswith("or move the log away to begin anew")
    assert "\n" not in str(refused.value)
    assert lives.path.read_bytes() == before


def test_a_venue_that_was_told_to_misbehave_does_not_come_back_as_an_honest_one(
    lives: Lives,
) -> None:
    lives.next(plan=PLAN)

    with pytest.raises(VenueLogRefused, match=f"misbehaviour {PLAN.digest}; wanted none"):
        lives.next()


def test_the_name_of_the_data_and_the_seed_and_speed_of_a_run_may_differ(lives: Lives) -> None:
    lives.next(speed=60.0)
    renamed = MarketData(
        bars=DATA.bars, sessions=DATA.sessions, symbols=DATA.symbols, origin="another name"
    )

    open_exchange(
        FileLog.open(lives.path), renamed, until=0, seed=99, speed=1.0, wall_clock=lambda: 0
    )

    assert len(read_log(lives.path)) == 3


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            RequestReceived(number=2, at=1, wall_ns=0, events=0, request=LookUp("a")),
            "line 3: found request 2; wanted 1, as playing it again gives",
        ),
        (
            RequestReceived(number=1, at=1, wall_ns=0, events=19, request=LookUp("a")),
            "line 3: found 19 market events; wanted 18, as playing it again gives",
        ),
        (
            VenueOpened(at=1, wall_ns=0, events=-1, speed=None),
            "line 3: found -1 market events; wanted 0, as playing it again gives",
        ),
        (
            MarketMoved(at=1, wall_ns=0, events=2, executions=1),
            "line 3: found 1 executions; wanted 0, as playing it again gives",
        ),
    ],
)
def test_a_log_that_does_not_come_out_as_it_was_is_refused(
    lives: Lives, line: LogLine, said: str
) -> None:
    lives.next()
    log = FileLog.open(lives.path)
    log.write(line)
    log.close()

    with pytest.raises(VenueLogRefused) as refused:
        lives.next()

    assert str(refused.value).startswith(f"{lives.path}, {said}")
    assert "\n" not in str(refused.value)


SECOND = MINUTE // 60


@pytest.mark.parametrize(
    ("speed", "wall_passed", "now"),
    [
        (60.0, 0, 5 * SECOND),
        (60.0, SECOND // 2, 35 * SECOND),
        (60.0, -SECOND, 5 * SECOND),
        (None, 10 * SECOND, 5 * SECOND),
        # Two minutes of bars, one to the close and one to the next opening: no pause is waited for.
        (60.0, 4 * SECOND, DAY + 5 * SECOND),
    ],
)
def test_the_present_is_where_the_playback_would_be_by_now(
    lives: Lives, speed: float | None, wall_passed: int, now: int
) -> None:
    wall_ns = 10**18
    exchange = lives.next(speed=speed, wall_ns=wall_ns)
    sent(exchange, LookUp("a"), at=5 * SECOND)

    assert present(read_log(lives.path), DATA, wall_ns + wall_passed) == now


def test_without_a_line_to_count_from_nobody_knows_the_present() -> None:
    began = VenueBegan(terms=VenueTerms(), data_origin="", data_digest="", seed=0)

    assert present((), DATA, 10**18) is None
    assert present((began,), DATA, 10**18) is None
