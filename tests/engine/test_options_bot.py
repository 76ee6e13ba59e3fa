"""The whole engine with the options bot: contracts are bought, protected and sold."""

from pathlib import Path

import pytest

from hydra.actor import MILLISECOND, MINUTE, SECOND
from tests.actors.option_stage import CALL, PUT
from tests.engine.option_world import SIGNAL, OptionLife, option_market
from tests.engine.scenery import OPEN_AT

SIGNAL_AT = OPEN_AT + 16 * MINUTE


@pytest.mark.parametrize("behind_ms", [0, 150, 400])
def test_a_signal_becomes_an_entry_also_by_a_clock_that_is_behind_ours_i47(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, behind_ms: int
) -> None:
    data = option_market({"SPY": SIGNAL[:40], CALL: [2.0] * 40, PUT: [2.0] * 40})
    it = OptionLife(data, monkeypatch, tmp_path / "ledger.db")
    it.behind = behind_ms * MILLISECOND
    it.run_to(SIGNAL_AT - SECOND)
    it.life.run_to(SIGNAL_AT)

    for _ in range(8):  # a lively contract: the first of them are of before it was chosen
        it.life.advance(100 * MILLISECOND)
        it.quote()
    it.run_to(SIGNAL_AT + MINUTE)

    assert it.life.denials == []
    assert it.positions == {CALL: 2}
    assert [(symbol, role) for symbol, role, _, _ in it.orders] == [(CALL, "entry")]
