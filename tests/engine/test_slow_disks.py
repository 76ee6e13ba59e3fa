"""A disk that does not come to an end, or is too slow for all that is to be written."""

import threading
from pathlib import Path

import pytest

from hydra.assembly import assemble
from hydra.ports import LedgerMark
from hydra.runtime.system import Suspend
from hydra.runtime.thread_runtime import ThreadRuntime
from hydra.store.ledger import Ledger
from hydra.trading.trading_state import TradingState
from messages.journal import WriteEntry
from messages.market import BarsClosed
from supervisors import paths
from supervisors.core import ORDER_PATH
from tests.engine.harness import ListJournal, World, begun, quiet
from tests.engine.test_limits import SlowMarket, entry, unhurried
from tests.waiting import eventually

HALTED_WITHIN_S = 10.0
"""It takes two seconds and a half; the rest is for a busy machine."""


@pytest.mark.slow
def test_while_a_commit_does_not_end_nothing_is_sent_and_trading_halts_i08_i13_i70(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(quiet(), ledger_path=tmp_path / "ledger.db")
    begun(world).die()
    ledger = world.open_ledger()
    commits, answer = threading.Event(), threading.Event()

    def stuck(_: Ledger) -> LedgerMark:
        commits.set()
        answer.wait(60)
        raise AssertionError("nobody waits for it any more")

    runtime = ThreadRuntime(journal=paths.JOURNAL_WRITER, market_clock=SlowMarket(world.now))
    try:
        engine = assemble(
            world.settings,
            world.data,
            runtime=runtime,
            market_time=lambda: world.now,
            ledger=ledger,
            journal=ListJournal(),
            exchange=world.exchange,
        )
        runtime.start_watch()
        assert runtime.start_and_wait(unhurried(engine), within=10)
        runtime.tell(paths.RISK_GUARDIAN, BarsClosed(bars=(world.newest_bar,)))
        assert eventually(lambda: runtime.gate.state is TradingState.ACTIVE)
        monkeypatch.setattr(Ledger, "commit", stuck)

        runtime.tell(paths.RISK_GUARDIAN, entry("mom_AAPL", 1, world.now))
        assert commits.wait(10)
        is_halted = eventually(
            lambda: runtime.gate.state is TradingState.HALTED and runtime.gate.lease_left() <= 0,
            HALTED_WITHIN_S,
        )
        causes = [cause.code for cause in runtime.gate.standing()]
    finally:
        answer.set()
        runtime.close()
        monkeypatch.undo()
        ledger.close()

    assert is_halted
    assert f"failed:{paths.STATE_PERSISTER.path}" in causes
    assert world.submitted == []


@pytest.mark.slow
def test_more_lines_than_a_slow_journal_may_owe_halt_and_none_is_dropped_before_i64_i71() -> None:
    world = World(quiet())
    life = begun(world)
    writer = life.runtime.cells[paths.JOURNAL_WRITER.path]
    writer.tell_system(Suspend())

    for number in range(ORDER_PATH.bound):
        line = WriteEntry(at=life.now, event="mine.said", source="a test", fields={"n": number})
        life.runtime.tell(paths.JOURNAL_WRITER, line)
    owed = len(writer.mailbox.user), life.state
    life.enter(1)

    assert owed == (ORDER_PATH.bound, TradingState.ACTIVE)
    assert life.state is TradingState.HALTED
    assert life.runtime.gate.standing()[0].code == f"failed:{paths.JOURNAL_WRITER.path}"
    assert world.submitted == []
