"""The whole engine with the options bot: contracts are bought, protected and sold."""

from decimal import Decimal
from pathlib import Path

import pytest

from hydra.actor import MILLISECOND, MINUTE, SECOND
from tests.actors.option_stage import CALL, PUT
from tests.engine.option_world import SIGNAL, OptionLife, holding, option_market
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


@pytest.mark.parametrize("is_lost", [True, False], ids=["lost", "mute"])
def test_a_contract_of_which_no_price_comes_any_more_is_closed_i30_i45(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_lost: bool
) -> None:
    it = holding(monkeypatch, tmp_path, [2.0] * 30 + [0.2] * 360)
    if is_lost:
        it.lose_contracts()
    it.are_contracts_quoted = False

    it.run_for(6 * MINUTE)
    assert it.positions == {CALL: 2}
    it.run_for(2 * MINUTE)

    assert it.positions == {}
    assert it.orders[1:] == [(CALL, "exit", "market", None)]
    taken_over = it.life.journal.events("position_taken_over")
    assert [each["reason"] for each in taken_over] == ["its bot sees no price of it"]


def test_a_contract_whose_prices_come_again_is_left_to_its_bot_i30(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    it = holding(monkeypatch, tmp_path)
    it.are_contracts_quoted = False
    it.run_for(6 * MINUTE)
    it.are_contracts_quoted = True
    it.run_for(10 * MINUTE)

    assert it.positions == {CALL: 2}
    assert it.life.journal.events("position_taken_over") == []


def test_a_mute_stream_of_contracts_is_connected_anew_i45(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    it = holding(monkeypatch, tmp_path)
    well = list(it.streams.renewed)
    it.are_contracts_quoted = False

    it.run_for(130 * SECOND)

    assert (well, it.streams.renewed) == ([], ["options", "options"])


@pytest.mark.parametrize(
    ("half_spread", "price", "bid"),
    [(0.02, 1.2, "1.18"), (0.15, 1.2, "1.05"), (0.01, 0.44, "0.43")],
    ids=["narrow", "wide", "cheap"],
)
def test_an_exit_is_a_limit_at_the_bid_also_in_a_wide_or_a_cheap_market_i35(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, half_spread: float, price: float, bid: str
) -> None:
    it = holding(monkeypatch, tmp_path, [2.0] * 30 + [price] * 30)
    it.half_spread = half_spread

    it.run_for(10 * MINUTE)

    assert it.positions == {}
    assert it.life.denials == []
    assert it.orders[1] == (CALL, "exit", "limit", Decimal(bid))


def test_an_exit_of_a_cheap_contract_is_a_limit_after_a_restart_too_i35_i38(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """In which steps the contract is priced only its listing said."""
    it = holding(monkeypatch, tmp_path, [2.0] * 30 + [0.44] * 30)
    it.life.die()
    it.begin()

    it.run_for(10 * MINUTE)

    assert it.positions == {}
    assert it.orders[1] == (CALL, "exit", "limit", Decimal("0.40"))


def test_an_exit_that_a_halt_alone_has_denied_is_a_limit_when_it_is_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    it = holding(monkeypatch, tmp_path, [2.0] * 30 + [1.2] * 30)
    it.life.halt_by_operator()
    it.run_for(10 * MINUTE)
    denied = set(it.life.denials)
    it.life.ask_to_resume()

    it.run_for(5 * MINUTE)

    assert denied == {"trading_is_open"}
    assert it.positions == {}
    assert it.orders[1] == (CALL, "exit", "limit", Decimal("1.19"))
