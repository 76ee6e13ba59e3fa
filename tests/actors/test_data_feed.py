"""Only bars that a market makes, in order, and in the past, are published."""

from math import inf, nan

import pytest

from actors.data_feed import DataFeed
from hydra.actor import MINUTE, SECOND, Ref
from hydra.runtime.sim_runtime import EPOCH
from hydra.testkit import Kit, Probe
from hydra.testkit.builders import bar
from hydra.trading.bars import Bar
from hydra.trading.sessions import ExchangeSession, SessionTable
from messages.health import HealthReported, ReportHealth
from messages.market import BarClosed, BarReceived, FeedEnded, bars_topic
from messages.message import Message

SESSIONS = SessionTable((ExchangeSession("2026-01-05", EPOCH, EPOCH + 390 * MINUTE, False),))


def started() -> tuple[Kit, Ref[Message], Probe]:
    kit = Kit()
    feed = kit.start(DataFeed, symbols=("AAPL",), sessions=SESSIONS, bar_interval=MINUTE)
    probe = kit.probe()
    kit.runtime.bus.subscribe(bars_topic("AAPL"), kit.runtime.cells[probe.ref.path])
    kit.advance(10 * MINUTE)
    return kit, feed, probe


def published(*bars: Bar) -> list[Bar]:
    kit, feed, probe = started()
    for each in bars:
        kit.tell(feed, BarReceived(bar=each))
    return [message.bar for message in probe.told if isinstance(message, BarClosed)]


FINE = bar(100.0, opened=99.5, high=100.5, low=99.0)


def test_a_fine_bar_is_published_to_its_symbol() -> None:
    assert published(FINE) == [FINE]


def changed(**fields: object) -> Bar:
    values = {name: getattr(FINE, name) for name in Bar.__struct_fields__}
    return Bar(**{**values, **fields})


@pytest.mark.parametrize(
    "odd",
    [
        changed(symbol="XYZ"),
        changed(close=nan),
        changed(open=nan),
        changed(high=inf),
        changed(low=0.0),
        changed(low=-1.0),
        changed(low=99.8),
        changed(high=99.9),
        changed(volume=-1.0),
        changed(volume=nan),
        changed(end_at=FINE.start_at),
        changed(start_at=EPOCH + 10 * MINUTE, end_at=EPOCH + 11 * MINUTE),
    ],
)
def test_an_odd_bar_is_dropped_i46(odd: Bar) -> None:
    assert published(odd, FINE) == [FINE]


def test_a_bar_again_or_one_that_overlaps_is_dropped_i46() -> None:
    overlapping = bar(100.0, start_at=EPOCH + 30 * SECOND)
    following = bar(100.0, start_at=EPOCH + MINUTE)

    assert published(FINE, FINE, overlapping, following) == [FINE, following]


def health(minutes: float, *bars: Bar, ended: bool = False) -> HealthReported:
    kit = Kit()
    feed = kit.start(DataFeed, symbols=("AAPL",), sessions=SESSIONS, bar_interval=MINUTE)
    for each in bars:
        kit.advance(each.end_at - kit.now)
        kit.tell(feed, BarReceived(bar=each))
    if ended:
        kit.tell(feed, FeedEnded(at=kit.now))
    kit.advance(EPOCH + int(minutes * MINUTE) - kit.now)
    answer = kit.ask(feed, ReportHealth())
    assert isinstance(answer, HealthReported)
    return answer


@pytest.mark.parametrize(
    ("minutes", "bars", "ended", "is_well"),
    [
        (2.4, (), False, True),
        (2.6, (), False, False),
        (3.4, (FINE,), False, True),
        (3.6, (FINE,), False, False),
        (3.6, (FINE,), True, True),
        (391, (FINE,), False, True),
    ],
    ids=["opened just now", "no bar", "a bar", "a bar long ago", "the end", "after the close"],
)
def test_the_feed_is_stale_after_two_and_a_half_bars_of_an_open_session_i45(
    minutes: float, bars: tuple[Bar, ...], ended: bool, is_well: bool
) -> None:
    assert health(minutes, *bars, ended=ended).is_well is is_well
