"""What becomes of trading when a part of the engine breaks."""

from typing import Any

import pytest

from hydra.actor import MINUTE, Dispatcher, Overflow, Ref
from hydra.ports import IntentRecorded, LedgerMark, ReportRecorded
from hydra.runtime.life import Status
from hydra.runtime.runtime import NobodyThere
from hydra.runtime.sim_runtime import SimRuntime
from hydra.runtime.system import Resume, Suspend
from hydra.store.ledger import Ledger, LedgerFailed
from hydra.trading.causes import OPERATOR_CLOSE_ONLY
from hydra.trading.orders import Role
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from messages.control import Halt
from messages.market import BarsReceived
from messages.orders import OrderApproved, Outcome
from messages.positions import BookRecovered
from supervisors import paths
from tests.engine.harness import (
    OPEN_AT,
    BrokenJournal,
    Gibberish,
    ListJournal,
    Played,
    bars_of,
    market_of,
    play,
    rising,
)

# Decided at minute 15 and filled at that minute's open, which is told at minute 16; the target is
# touched in minute 35, and sold at 36.
MARKET = market_of(bars_of([100.0] * 10 + rising(30) + rising(20, from_price=101.5)))
BOT: Ref[Any] = Ref("/hydra/bots/mom_AAPL")

OPERATOR_HALT = Cause(
    code="operator",
    cause_class=CauseClass.INTEGRITY,
    state=TradingState.HALTED,
    since=OPEN_AT,
    detail="looks wrong",
)


def tell_gibberish(path: Ref[Any]) -> Any:
    return lambda runtime: runtime.tell(path, Gibberish())


def orders_sent(played: Played) -> int:
    return len(played.journal.events("intent_stored"))


def codes(played: Played) -> list[str]:
    return [cause.code for cause in played.runtime.gate.standing()]


def test_the_engine_starts_halted_and_only_preflight_opens_it_i06() -> None:
    played = play(MARKET)

    states = [(r["event"], r.get("state")) for r in played.journal.records][:30]

    assert ("trading_state", "HALTED") in states
    assert states.index(("trading_state", "HALTED")) < states.index(("preflight_passed", None))
    assert played.runtime.gate.state is TradingState.ACTIVE


def test_the_safety_chain_is_known_as_such_and_loses_no_message_i08_i68_i69_i71() -> None:
    cells = play(MARKET).runtime.cells
    chain = (paths.STATE_PERSISTER, paths.JOURNAL_WRITER, paths.RISK_GUARDIAN, paths.BROKER_GATEWAY)

    specs = [cells[member.path].spec for member in chain]

    assert [(spec.critical, spec.dispatcher, spec.mailbox.overflow) for spec in specs] == [
        (True, Dispatcher.PINNED, Overflow.FAIL)
    ] * len(chain)


def test_after_a_halt_nothing_is_sent_not_even_what_is_on_its_way_i01() -> None:
    def halt(runtime: SimRuntime) -> None:
        runtime.tell(paths.RISK_GUARDIAN, Halt(cause=OPERATOR_HALT))

    before_the_entry = play(MARKET, at={OPEN_AT + 15 * MINUTE - 1: halt})
    while_holding = play(MARKET, at={OPEN_AT + 20 * MINUTE: halt})

    assert orders_sent(before_the_entry) == 0
    assert orders_sent(while_holding) == 2  # the entry, and the stop that rests for it
    assert [str(lot.quantity) for lot in while_holding.summary.held] == ["9"]
    assert while_holding.journal.events("cancel_refused")  # the stop rests on
    acknowledged = while_holding.journal.events("halt_acknowledged")
    assert [record["abandoned"] for record in acknowledged] == [()]


def test_a_halt_stands_whatever_preflight_says_afterwards_i04() -> None:
    def trip(runtime: SimRuntime) -> None:
        runtime.gate.trip(OPERATOR_HALT)

    played = play(MARKET, at={OPEN_AT + 5 * MINUTE: trip})

    assert codes(played) == ["operator"]
    assert played.runtime.gate.state is TradingState.HALTED


def test_close_only_lets_the_exit_pass_and_no_entry_i09() -> None:
    closing = OPERATOR_CLOSE_ONLY.cause(since=OPEN_AT, detail="a test")

    def close_only(runtime: SimRuntime) -> None:
        runtime.gate.trip(closing)

    played = play(MARKET, at={OPEN_AT + 20 * MINUTE: close_only})

    assert [trade.exit_reason for trade in played.summary.trades] == ["take_profit"]
    assert played.summary.held == ()


def test_a_bot_that_crashes_while_it_holds_a_position_takes_it_up_again() -> None:
    played = play(MARKET, at={OPEN_AT + 20 * MINUTE + 1: tell_gibberish(BOT)})

    assert played.runtime.cells[BOT.path].incarnation == 2
    assert played.summary.trades == play(MARKET).summary.trades
    assert played.runtime.gate.state is TradingState.ACTIVE


def test_a_bot_that_crashes_before_its_order_is_filled_does_not_buy_twice_i16() -> None:
    # Between the decision at minute 15 and the fill, which is told at minute 16.
    played = play(MARKET, at={OPEN_AT + 15 * MINUTE + 1: tell_gibberish(BOT)})

    assert played.runtime.cells[BOT.path].incarnation == 2
    entries = [f for f in played.ledger.book("mom_AAPL").fills if f.side.sign > 0]
    assert len(entries) == 1
    assert played.summary.held == ()


def test_a_bot_that_keeps_crashing_is_quarantined_and_what_it_holds_stops_entries_i69() -> None:
    crashes = {OPEN_AT + 20 * MINUTE + n * 10**9: tell_gibberish(BOT) for n in range(1, 6)}

    played = play(MARKET, at=crashes)

    assert played.runtime.cells[BOT.path].shown_status == "quarantined"
    assert codes(played) == ["unmanaged:mom_AAPL"]
    assert played.runtime.gate.state is TradingState.CLOSE_ONLY
    assert played.runtime.cells["/hydra/bots/mom_AAPL_cross"].status is Status.RUNNING


@pytest.mark.parametrize(("crashes", "status"), [(10, "running"), (11, "quarantined")])
def test_a_bot_that_crashes_at_each_bar_is_quarantined_within_the_hour_i69(
    crashes: int, status: str
) -> None:
    at = {OPEN_AT + (3 + minute) * MINUTE + 1: tell_gibberish(BOT) for minute in range(crashes)}

    played = play(MARKET, at=at)

    assert played.runtime.cells[BOT.path].shown_status == status
    assert played.runtime.cells["/hydra/bots/mom_AAPL_cross"].status is Status.RUNNING


@pytest.mark.parametrize(
    "path",
    [
        paths.RISK_GUARDIAN,
        paths.BROKER_GATEWAY,
        paths.STATE_PERSISTER,
        paths.JOURNAL_WRITER,
    ],
    ids=lambda ref: ref.name,
)
def test_a_crash_in_the_safety_chain_halts_and_a_restart_does_not_resume_i68_i69_i72_i74(
    path: Ref[Any],
) -> None:
    played = play(MARKET, at={OPEN_AT + 20 * MINUTE: tell_gibberish(path)})

    assert f"failed:{path.path}" in codes(played)
    assert played.runtime.gate.state is TradingState.HALTED
    assert played.runtime.cells[path.path].incarnation == 2
    assert orders_sent(played) == 2  # the entry, and the stop that rests for it
    assert played.runtime.failed_closed is None


def test_a_second_crash_in_the_safety_chain_within_a_minute_is_a_fail_closed_stop_i75() -> None:
    crash = tell_gibberish(paths.RISK_GUARDIAN)

    with pytest.raises(NobodyThere, match="reporter"):  # nobody is left to sum up
        play(MARKET, at={OPEN_AT + 20 * MINUTE: crash, OPEN_AT + 20 * MINUTE + 10**9 * 5: crash})


class FailingLedger:
    """A ledger whose disk fails at the n-th commit, and from then on."""

    def __init__(self, writes: int) -> None:
        self._ledger = Ledger.open(":memory:", venue="embedded", at=0)
        self._left = writes

    def record_intent(self, approved: OrderApproved, at: int) -> IntentRecorded:
        return self._ledger.record_intent(approved, at)

    def record_report(self, report: Outcome, at: int) -> ReportRecorded:
        return self._ledger.record_report(report, at)

    def mark_journal(self, seq: int, at: int) -> None:
        self._ledger.mark_journal(seq, at)

    def commit(self) -> LedgerMark:
        self._left -= 1
        if self._left < 0:
            raise LedgerFailed("disk I/O error")
        return self._ledger.commit()

    def book(self, bot: str | None) -> BookRecovered:
        return self._ledger.book(bot)

    def close(self) -> None:
        self._ledger.close()


def test_an_intent_that_cannot_be_stored_is_not_sent_and_stops_the_engine_i13_i56() -> None:
    journal, ledger = ListJournal(), FailingLedger(0)

    # The persister's second incarnation tries to commit what was left, and fails as well.
    with pytest.raises(NobodyThere, match="reporter"):
        play(MARKET, journal=journal, ledger=ledger)  # type: ignore[arg-type]  # as the port has it

    latched = [record["cause"] for record in journal.events("halt_latched")]
    assert f"failed:{paths.STATE_PERSISTER.path}" in [
        cause.code for cause in latched if isinstance(cause, Cause)
    ]
    assert journal.events("intent_stored") == journal.events("report_stored") == []


def test_a_journal_that_cannot_be_written_is_a_fail_closed_stop_i64() -> None:
    # The writer's second incarnation takes the next line, and fails as well.
    with pytest.raises(NobodyThere, match="reporter"):
        play(MARKET, journal=BrokenJournal(15))


def test_a_silent_feed_halts_i45() -> None:
    # Explore runs every tick of the health monitor; canonical time skips those between events.
    bars = bars_of([100.0] * 20)
    played = play(market_of(bars, close_at=OPEN_AT + 40 * MINUTE), explore=1)

    assert codes(played) == ["stale_feed"]
    (latched,) = played.journal.events("halt_latched")
    cause = latched["cause"]
    assert isinstance(cause, Cause)
    assert cause.detail == "feed: AAPL: the newest bar is 150 s old"


def test_a_bar_that_does_not_follow_the_last_one_is_dropped_i46() -> None:
    bars = bars_of([100.0] * 12)

    def repeat(runtime: SimRuntime) -> None:
        runtime.tell(paths.DATA_FEED, BarsReceived(bars=(bars[3],)))

    played = play(market_of(bars), at={OPEN_AT + 8 * MINUTE: repeat})

    assert played.summary.bars == 12
    (dropped,) = played.journal.events("bar_dropped")
    assert str(dropped["fault"]).startswith("it does not follow the last one")


def test_a_bot_quarantined_while_its_entry_works_stops_entries_and_takes_it_out_i10_i69() -> None:
    # The entry is on its way from minute 15 on, and nobody trades until 16, when nobody minds it.
    silent = OPEN_AT + 15 * MINUTE
    market = market_of(tuple(bar for bar in MARKET.bars if bar.start_at != silent))
    crashes = {OPEN_AT + 15 * MINUTE + n * 5 * 10**9: tell_gibberish(BOT) for n in range(1, 7)}

    played = play(market, at=crashes)

    assert played.runtime.cells[BOT.path].shown_status == "quarantined"
    assert [type(r["content"]).__name__ for r in played.journal.events("report_stored")] == [
        "OrderAccepted",
        "OrderCanceled",
    ]
    assert codes(played) == ["unmanaged:mom_AAPL"]


def test_a_feed_that_is_restarted_in_a_session_is_not_taken_for_a_silent_one() -> None:
    played = play(MARKET, at={OPEN_AT + 20 * MINUTE: tell_gibberish(paths.DATA_FEED)})

    assert played.runtime.cells[paths.DATA_FEED.path].incarnation == 2
    assert codes(played) == []
    assert played.summary.trades == play(MARKET).summary.trades


def test_a_bot_that_crashes_while_its_intent_waits_at_the_guardian_does_not_decide_again_i16() -> (
    None
):
    def hold_the_guardian(runtime: SimRuntime) -> None:
        runtime.cells[paths.RISK_GUARDIAN.path].tell_system(Suspend())

    def crash_and_go_on(runtime: SimRuntime) -> None:
        runtime.tell(BOT, Gibberish())
        runtime.call_later(2 * 10**9, lambda: resume(runtime))

    def resume(runtime: SimRuntime) -> None:
        runtime.cells[paths.RISK_GUARDIAN.path].tell_system(Resume())

    played = play(
        MARKET,
        at={
            OPEN_AT + 15 * MINUTE - 1: hold_the_guardian,
            OPEN_AT + 15 * MINUTE + 1: crash_and_go_on,
        },
    )

    assert played.runtime.cells[BOT.path].incarnation == 2
    entries = [o for o in played.ledger.book("mom_AAPL").orders if o.decision.role is Role.ENTRY]
    assert len(entries) == 1
    assert codes(played) == []
