"""A venue that tells what happens on a stream: what the engine does while it does not hear it."""

import pytest

from hydra.actor import MINUTE, SECOND
from hydra.trading.causes import START, TRADING_STREAM_LOST
from hydra.trading.trading_state import TradingState
from hydra.venues.simulated.faults import Delay, FailLook, Lose
from hydra.venues.simulated.in_process import InProcessVenue
from hydra.venues.simulated.requests import Cancel, TakeSnapshot
from messages.streams import StreamConnected, StreamGap, StreamLost
from supervisors import paths
from tests.engine.harness import (
    ENTRY_AT,
    WIDE,
    Life,
    World,
    plan_of,
    quiet,
    settings_with,
    struck,
)
from tests.engine.judge import require_agreement

CONNECTED = StreamConnected(stream="trading", connection=1)
AGAIN = StreamConnected(stream="trading", connection=2)
LOST = StreamLost(stream="trading", reason="cut")
GAP = StreamGap(stream="trading", reason="an update that nobody understands", raw="{}")
EVENTS_BEFORE_ENTRY = sum(bar.end_at <= ENTRY_AT for bar in quiet().bars)


class Streaming:
    """The in-process venue, as if it told everything on a stream that a test's hand connects."""

    def __init__(self, venue: type[InProcessVenue], monkeypatch: pytest.MonkeyPatch) -> None:
        self.state: StreamConnected | StreamLost | None = None
        monkeypatch.setattr(venue, "has_stream", True)

        def report(venue: InProcessVenue) -> None:
            if self.state is not None:
                venue._tell(self.state)  # type: ignore[arg-type]

        monkeypatch.setattr(venue, "report_stream", report)


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Streaming:
    return Streaming(InProcessVenue, monkeypatch)


def begun(world: World, stream: Streaming) -> Life:
    """A life that has heard of the connection and has come to where entries may be made."""
    stream.state = CONNECTED
    life = world.begin(with_bots=False)
    life.run_to(ENTRY_AT)
    return life


def hear(life: Life, message: StreamConnected | StreamLost | StreamGap) -> None:
    life.tell(paths.BROKER_GATEWAY, message)


def test_nothing_is_traded_before_the_stream_is_connected_i03_i47(stream: Streaming) -> None:
    life = World(quiet()).begin(with_bots=False)
    life.run_to(ENTRY_AT)

    assert START.code in life.causes
    hear(life, CONNECTED)
    life.run_for(10 * SECOND)

    assert life.state is TradingState.ACTIVE


def test_a_gateway_that_starts_anew_is_told_how_the_stream_is_i47(stream: Streaming) -> None:
    life = begun(World(quiet()), stream)
    assert life.state is TradingState.ACTIVE

    life.crash(paths.BROKER_GATEWAY)
    life.run_for(2 * MINUTE)
    life.resume()
    life.enter(1)
    life.run_for(MINUTE)

    assert life.world.submitted


@pytest.mark.parametrize("unheard", [LOST, GAP])
def test_no_entry_is_sent_until_a_comparison_that_began_afterwards_is_clean_i47(
    stream: Streaming, unheard: StreamLost | StreamGap
) -> None:
    unreadable = struck(FailLook(), what="snapshot", times=2, from_event=EVENTS_BEFORE_ENTRY)
    life = begun(World(quiet(), plan_of(unreadable)), stream)

    hear(life, unheard)
    if unheard is LOST:
        hear(life, AGAIN)
    life.enter(1)
    life.advance(SECOND)
    assert life.world.submitted == []

    life.run_for(2 * MINUTE)
    life.enter(1)
    assert len(life.world.submitted) == 1


def test_a_comparison_that_was_under_way_at_a_gap_does_not_settle_it_i47(
    stream: Streaming,
) -> None:
    slow = struck(Delay(events=1), what="SnapshotTaken", times=None, from_event=EVENTS_BEFORE_ENTRY)
    life = begun(World(quiet(), plan_of(slow)), stream)
    life.run_for(50 * SECOND)
    under_way = life.view(paths.BROKER_GATEWAY)["comparing"]

    hear(life, GAP)
    life.run_for(6 * SECOND)  # meanwhile the answer has come, with a bar
    settled = life.view(paths.BROKER_GATEWAY)
    life.enter(1)
    life.advance(SECOND)

    assert (under_way, settled["agrees"]) == (("again and again",), True)
    assert f"the trading stream has a gap: {GAP.reason}" in settled["comparing"]
    assert life.world.submitted == []


def test_no_entry_is_sent_while_the_stream_is_lost_i47(stream: Streaming) -> None:
    life = begun(World(quiet()), stream)

    hear(life, LOST)
    life.enter(1)
    life.advance(SECOND)

    assert life.world.submitted == []
    assert [report.reason for report in life.told("OrderWithheld")] == [
        "the trading stream is lost: cut"
    ]


def test_an_exit_is_sent_all_the_same_i14_i47(stream: Streaming) -> None:
    life = begun(World(quiet()), stream)
    life.enter(3)
    life.run_for(2 * MINUTE)

    hear(life, LOST)
    life.exit(3)
    life.run_for(2 * SECOND)

    assert len(life.world.submitted) == 2


def test_a_loss_that_lasts_halts_and_a_short_one_does_not_i45_i47(stream: Streaming) -> None:
    life = begun(World(quiet()), stream)

    hear(life, LOST)
    life.advance(9 * SECOND)
    hear(life, AGAIN)
    life.advance(9 * SECOND)
    assert life.state is TradingState.ACTIVE

    hear(life, LOST)
    hear(life, LOST)  # told at each attempt that fails
    life.advance(11 * SECOND)
    assert life.causes == {TRADING_STREAM_LOST.code: TradingState.HALTED}


def test_keys_that_are_refused_halt_at_once(stream: Streaming) -> None:
    life = begun(World(quiet()), stream)

    hear(life, StreamLost(stream="trading", reason="unauthorized", is_refused=True))

    assert TRADING_STREAM_LOST.code in life.causes


def test_that_it_comes_back_does_not_take_the_halt_away_i02_i05(stream: Streaming) -> None:
    life = begun(World(quiet()), stream)
    hear(life, LOST)
    life.advance(11 * SECOND)

    hear(life, AGAIN)
    life.run_for(5 * MINUTE)

    assert TRADING_STREAM_LOST.code in life.causes


def test_a_stream_that_was_never_there_opens_no_trading_and_its_loss_is_no_connection_i03_i47(
    stream: Streaming,
) -> None:
    life = World(quiet()).begin(with_bots=False)
    hear(life, LOST)  # the first attempts fail
    life.run_to(ENTRY_AT)
    hear(life, LOST)
    life.run_for(MINUTE)

    assert life.causes == {START.code: TradingState.HALTED}
    hear(life, CONNECTED)
    life.run_for(10 * SECOND)
    assert life.state is TradingState.ACTIVE


def test_a_halt_for_a_lost_stream_does_not_end_while_it_is_lost_i04_i45_i47(
    stream: Streaming,
) -> None:
    settings = settings_with({"safety.global_cooldown_minutes": 10})
    life = begun(World(quiet(60), settings=settings), stream)
    hear(life, LOST)
    life.run_for(20 * MINUTE)

    noted = life.resume(TRADING_STREAM_LOST.code)  # a word is no connection either
    life.run_for(MINUTE)
    while_lost = life.causes
    hear(life, AGAIN)
    life.run_for(MINUTE)

    assert noted.noted == (TRADING_STREAM_LOST.code,)
    assert while_lost == {TRADING_STREAM_LOST.code: TradingState.HALTED}
    assert life.causes == {}


def test_entries_that_rest_are_taken_out_while_the_stream_is_lost_and_exits_stay_i10_i11_i47(
    stream: Streaming,
) -> None:
    # Nothing is told any more: what became of the cancels is found by comparing.
    untold = struck(Lose(), what="OrderCanceled", times=None)
    world = World(quiet(), plan_of(untold), settings=settings_with(WIDE))
    life = begun(world, stream)
    life.enter(3)
    life.run_for(2 * MINUTE)
    life.exit(3, limit="102")
    resting = [
        life.enter(quantity, bot=bot, limit="97")
        for quantity, bot in ((1, "mom_AAPL_cross"), (2, "mom_AAPL"))
    ]
    assert {life.status_of(name) for name in resting} == {"accepted"}
    lost_at = life.now

    hear(life, LOST)
    life.run_closely(9 * SECOND)
    before = world.asked(Cancel)
    life.run_closely(51 * SECOND)

    assert before == []
    assert set(world.asked(Cancel)) == {Cancel(name) for name in resting}
    assert max(world.came_at(Cancel)) <= lost_at + 60 * SECOND
    assert {life.status_of(name) for name in resting} == {"canceled"}
    assert [order.state.status.value for order in life.ledger.open_orders()] == ["accepted"]
    require_agreement(world)


def test_a_short_loss_takes_nothing_out_i47(stream: Streaming) -> None:
    world = World(quiet())
    life = begun(world, stream)
    name = life.enter(3, limit="97")

    hear(life, LOST)
    life.run_closely(9 * SECOND)
    hear(life, AGAIN)
    life.run_closely(60 * SECOND)

    assert (world.asked(Cancel), life.status_of(name)) == ([], "accepted")
    assert life.state is TradingState.ACTIVE


def test_a_storm_of_gaps_leaves_room_for_other_requests_and_shuts_entries_i47_i71(
    stream: Streaming,
) -> None:
    life = begun(World(quiet()), stream)
    before = len(life.world.asked(TakeSnapshot))

    for _ in range(30):
        hear(life, GAP)
        life.run_closely(SECOND)
        assert life.causes == {}
    compared = len(life.world.asked(TakeSnapshot)) - before
    hear(life, GAP)
    life.enter(1)
    life.run_closely(SECOND)
    entered = list(life.world.submitted)
    life.run_for(2 * MINUTE)

    assert 3 <= compared <= 5  # with the one that comes each minute
    assert entered == []
    assert life.view(paths.BROKER_GATEWAY)["blind"] == ""
