"""`python -m hydra.main` that is killed with SIGKILL on the way of an order, and started again.

Virtual time, so that each death is at the same step each time. The venue's log is the judge.
"""

import itertools
import signal
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec import structs

from hydra.crash_points import CRASH_POINTS
from hydra.ops.exit_codes import ExitCode
from hydra.testkit.judge.evidence import Life
from hydra.venues.simulated.dated_lines import MarketMoved
from hydra.venues.simulated.log_lines import LogLine, RequestReceived, encoded
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.request_log import read_log
from hydra.venues.simulated.requests import Submit, TakeSnapshot
from tests.crash.trading import Trader, commits_in

COMMIT = (
    "ledger.commit.before",
    "ledger.commit.events_written",
    "ledger.commit.tables_written",
    "ledger.commit.after",
)
APPEND = ("journal.append.before", "journal.append.after")
REQUEST = ("venue.request.before", "venue.request.logged", "venue.request.answered")
MARKET = ("venue.market.before", "venue.market.logged")
AT_START = (
    "run.kill_switch_read",
    "venue.rebuild.before",
    "run.latched_at_start",
    "venue.rebuild.played_again",
    "recovery.done",
    "venue.rebuild.before_opened",
    "recovery.crosschecked",
    *REQUEST,
    "recovery.locked",
    "ledger.commit.before",
    "venue.told",
    "ledger.commit.after:2",
    "ledger.open.proven",
    "journal.append.after:20",
)
"""A start comes here before it trades."""
LATER = (
    "venue.submit.asked",
    "venue.market.logged",
    "ledger.commit.events_written:9",
    "venue.told:40",
    "venue.market.before",
    "ledger.commit.tables_written:14",
    "venue.request.logged:30",
    "journal.append.before:50",
    "venue.submit.asked:3",
    "ledger.commit.after:20",
)
"""And here some minutes after that."""


class Undisturbed(NamedTuple):
    """What a session leaves that nobody killed."""

    life: Life
    log: tuple[LogLine, ...]
    commits: tuple[tuple[str, ...], ...]


class Step(NamedTuple):
    """Where the n-th of something comes by in a session that nobody disturbs."""

    place: str
    of: str
    number: int

    def __str__(self) -> str:
        return f"{self.place} of {self.of} {self.number}"


SEND_AND_FILL = (
    *((place, "intent") for place in COMMIT),
    *((place, "intent") for place in APPEND),
    ("venue.submit.asked", "order"),
    *((place, "order request") for place in REQUEST),
    *((place, "acceptance") for place in COMMIT[::3]),
    *((place, "fill at the venue") for place in MARKET),
    *((place, "fill") for place in COMMIT),
    *((place, "fill") for place in APPEND[1:]),
)
"""Every step of an order's way out and back, F01 to F09."""

FIRST = (
    (Step("ledger.commit.tables_written", "intent", 3), "recovery.done", "venue.market.logged"),
)
MORE = tuple(
    (
        Step(place, of, number),
        AT_START[(7 * number + turn) % len(AT_START)],
        LATER[(3 * number + turn) % len(LATER)],
    )
    for number in (2, 17)
    for turn, (place, of) in enumerate(SEND_AND_FILL)
)


@pytest.fixture(scope="session")
def undisturbed(
    tmp_path_factory: pytest.TempPathFactory, market: MarketData, calendar: Path
) -> Undisturbed:
    trader = Trader(tmp_path_factory.mktemp("undisturbed"), market, calendar)
    assert trader.run() == ExitCode.CLEAN
    trader.require_settled()
    log = read_log(trader.files.venue_log)
    return Undisturbed(trader.life, log, commits_in(trader.files.ledger))


@pytest.mark.slow
@pytest.mark.parametrize(
    "story",
    [*FIRST, *MORE],
    ids=lambda story: "; ".join(map(str, story)),
)
def test_killed_on_an_orders_way_the_engine_goes_on_and_sends_nothing_twice_i13_i14_i20_i23_i61(
    story: tuple[Step | str, ...], trader: Trader, undisturbed: Undisturbed
) -> None:
    for death in story:
        trader.die(death if isinstance(death, str) else place_of(death, undisturbed))

    assert trader.run() == ExitCode.CLEAN
    trader.require_settled()


@pytest.mark.slow
def test_a_start_that_is_killed_again_and_again_comes_to_the_same_i59(
    trader: Trader, undisturbed: Undisturbed, tmp_path_factory: pytest.TempPathFactory
) -> None:
    trader.die(place_of(Step("venue.market.logged", "fill at the venue", 21), undisturbed))
    twin = trader.twin(tmp_path_factory.mktemp("twin") / "of it")

    for place in itertools.islice(itertools.cycle(AT_START), 50):
        assert trader.run(place) == -signal.SIGKILL, place
    trader.require_sound()

    assert (trader.run(), twin.run()) == (ExitCode.CLEAN, ExitCode.CLEAN)
    trader.require_settled()
    assert outcome_of(trader.life) == outcome_of(twin.life)


@pytest.mark.slow
def test_a_venue_left_a_moment_before_a_bar_goes_on_with_that_bar_i59(
    trader: Trader, market: MarketData
) -> None:
    trader.die("venue.submit.asked:2")
    lines = read_log(trader.files.venue_log)
    last = lines[-1]
    assert isinstance(last, RequestReceived)
    next_bar_at = min(bar.end_at for bar in market.bars if bar.end_at > last.at)
    # So a run in machine time leaves it, as it asks between the bars too.
    asked = structs.replace(
        last,
        number=last.number + 1,
        at=next_bar_at - 300_000_000,
        request=TakeSnapshot(number=1_000, since=0),
    )
    with trader.files.venue_log.open("ab") as log:
        log.write(encoded(asked, len(lines) + 1))

    assert trader.run() == ExitCode.CLEAN
    trader.require_settled()


@pytest.mark.slow
def test_an_order_that_never_left_is_given_up_and_one_that_did_is_found_i14_i19(
    trader: Trader, undisturbed: Undisturbed
) -> None:
    trader.die(place_of(Step("venue.request.before", "order request", 2), undisturbed))
    never_left = set(trader.life.orders) - set(trader.sent)
    trader.die("venue.submit.asked")
    never_left |= set(trader.life.orders) - set(trader.sent)
    trader.die("venue.request.logged:20")
    assert trader.run() == ExitCode.CLEAN

    orders = trader.life.orders
    assert len(never_left) == 2
    assert {orders[name].status.value for name in never_left} == {"absent"}
    assert never_left.isdisjoint(trader.sent)
    trader.require_settled()


def test_each_place_on_the_way_of_an_order_is_in_a_story() -> None:
    stories = [death for story in MORE for death in story]
    told = {d.place if isinstance(d, Step) else d.partition(":")[0] for d in stories}
    of_the_way = {name for name in CRASH_POINTS if name.startswith(("venue.", "run."))}

    elsewhere = {"run.played", "venue.request.arrived"}
    assert of_the_way - told == elsewhere


def outcome_of(life: Life) -> tuple[object, ...]:
    """What was traded, whatever the ways to it were."""
    sent = [(each.at, each.order) for each in life.sent]
    statuses = {name: order.status for name, order in life.orders.items()}
    return sent, statuses, set(life.fills), life.positions, life.cash


def place_of(step: Step, undisturbed: Undisturbed) -> str:
    """The place with the how manieth time it is reached when that one comes by."""
    times = times_of(step.place.rpartition(".")[0], step.of, undisturbed)
    return f"{step.place}:{times[step.number - 1]}"


def times_of(place: str, of: str, undisturbed: Undisturbed) -> list[int]:
    """For each one of something: the how manieth visit of such a place is its."""
    life = undisturbed.life
    match place, of:
        case "venue.submit", "order":
            return [number for number, _ in enumerate(life.sent, start=1)]
        case "venue.request", "order request":
            requests = [line for line in undisturbed.log if isinstance(line, RequestReceived)]
            return [line.number for line in requests if isinstance(line.request, Submit)]
        case "venue.market", "fill at the venue":
            moves = [line for line in undisturbed.log if isinstance(line, MarketMoved)]
            return [number for number, _ in enumerate(moves, start=1)]
        case "ledger.commit", _:
            kind = _KINDS[of]
            return [number for number, c in enumerate(undisturbed.commits, start=1) if kind in c]
        case "journal.append", _:
            (run,) = life.runs
            kind = _LINES[of]
            return [line.seq for line in run.lines or () if line_says(line.fields, kind)]
        case _:
            raise AssertionError(f"no {of} comes by at {place}")


def line_says(fields: dict[str, object], kind: str) -> bool:
    return kind in (fields["event"], fields.get("report"))


_KINDS = {"intent": "OrderIntended", "acceptance": "OrderAccepted", "fill": "OrderFilled"}
_LINES = {"intent": "intent_stored", "fill": "OrderFilled"}
