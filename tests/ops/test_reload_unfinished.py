"""A reload that somebody does not take, or that does not reach all it is meant for."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from actors.guardian_terms import TakeTerms
from actors.risk_guardian import RiskGuardian
from actors.state_persister import StatePersister
from hydra.actor import MINUTE, Actor, Context
from hydra.ops.reload_tree import NotTaken
from hydra.runtime.runtime import NoReplyInTime
from hydra.trading.causes import DAILY_LOSS
from hydra.trading.strategy_modes import STRATEGY_MODE, StrategyMode, read
from messages.message import Message
from messages.positions import RecoverValue
from supervisors import paths
from tests.ops.reloading import Followed
from tests.ops.test_reload_modes import CONSERVATIVE, FLAT, ONE_MINUTE, choose, with_modes

ORDER_LIMIT = "max_order_notional_usd: 25000"
TIGHTER = "max_order_notional_usd: 1000"


class Silence:
    """Nobody answers what is asked of this address until it is over, though all is heard."""

    def __init__(self, engine: Followed, monkeypatch: pytest.MonkeyPatch, silent: object) -> None:
        self.is_over = False
        runtime = engine.life.runtime
        ask: Callable[..., Message] = runtime.ask

        def asked(ref: Any, message: Message, *, within: float) -> Message:
            answer = ask(ref, message, within=within)
            if not self.is_over and ref == silent:
                raise NoReplyInTime(f"no answer within {within} s")
            return answer

        monkeypatch.setattr(runtime, "ask", asked)


def test_what_somebody_may_have_taken_is_finished_before_anything_else_i79_i81(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Followed(tmp_path).begun()
    silence = Silence(engine, monkeypatch, paths.RISK_GUARDIAN)
    engine.reloads(ORDER_LIMIT, TIGHTER)
    meanwhile = engine.reload.in_force.risk.max_order_notional_usd
    engine.edit(TIGHTER, ORDER_LIMIT)  # the operator takes it back, while part of it may hold
    silence.is_over = True
    engine.look(times=4)

    told = engine.reload.told()
    (terms,) = {event["configuration"] for event in engine.events("terms_taken")}
    assert meanwhile == Decimal(25_000)
    assert (told["in_force"], engine.reload.in_force.risk.max_order_notional_usd) == (
        terms,
        Decimal(1000),
    )
    assert told["pending"] == ["risk.max_order_notional_usd: 1000 -> 25000 (looser)"]
    assert [how for _, how in engine.kept] == ["start"]


def test_what_was_not_taken_is_tried_again_and_kept_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Followed(tmp_path).begun()
    silence = Silence(engine, monkeypatch, paths.RISK_GUARDIAN)
    engine.reloads(ORDER_LIMIT, TIGHTER)
    silence.is_over = True
    engine.look(times=4)

    assert engine.reload.in_force.risk.max_order_notional_usd == Decimal(1000)
    assert [how for _, how in engine.kept] == ["start", "reload"]
    assert len(engine.events("config_reloaded")) == 1


class FailsOverIt:
    """An actor fails over the next question of this kind, once it is due, and is started anew."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, actor: type[Actor[Any]], question: type[Message]
    ) -> None:
        self.is_due = False
        receive = actor.receive

        def received(this: Actor[Any], message: Message, ctx: Context) -> None:
            if isinstance(message, question) and self.is_due:
                self.is_due = False
                raise OSError("nobody foresaw this")
            receive(this, message, ctx)

        monkeypatch.setattr(actor, "receive", received)


def test_what_the_guardian_fails_over_is_finished_once_it_runs_again_i79(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = FailsOverIt(monkeypatch, RiskGuardian, TakeTerms)
    engine = Followed(tmp_path).begun()
    fault.is_due = True
    engine.reloads(ORDER_LIMIT, TIGHTER)
    engine.life.run_for(MINUTE)
    engine.look()

    assert not fault.is_due
    assert engine.reload.in_force.risk.max_order_notional_usd == Decimal(1000)
    assert [how for _, how in engine.kept] == ["start", "reload"]


def test_a_mode_that_the_persister_fails_over_is_put_on_record_once_it_runs_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = FailsOverIt(monkeypatch, StatePersister, RecoverValue)
    engine = with_modes(tmp_path)
    fault.is_due = True
    engine.life.halt(DAILY_LOSS.cause(since=engine.life.now, detail="a test"))
    engine.look()
    engine.life.run_for(MINUTE)
    engine.look()

    assert not fault.is_due
    assert engine.reload.told()["mode"] == "fallback"
    assert read(engine.life.ledger.get(STRATEGY_MODE)).mode is StrategyMode.FALLBACK


def test_a_safer_mode_is_followed_though_it_is_not_on_record_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = with_modes(tmp_path, ONE_MINUTE.replace("step_down: true", "step_down: false"))
    Silence(engine, monkeypatch, paths.STATE_PERSISTER)
    with pytest.raises(NotTaken):
        engine.reload.choose_mode(FLAT, "a test", "ada")
    engine.life.enter()

    assert engine.reload.told()["mode"] == "flat"
    assert engine.denials == ["trading_is_open"]


def test_in_flat_what_is_tighter_is_taken_and_what_is_held_is_managed_as_before_i41(
    tmp_path: Path,
) -> None:
    text = ONE_MINUTE.replace("selected: primary", "selected: conservative")
    engine = with_modes(tmp_path, text)
    before = engine.reload.in_force
    choose(engine, FLAT)
    engine.look(times=3)
    engine.reloads(ORDER_LIMIT, TIGHTER)
    engine.life.run_for(MINUTE)

    assert before.modes.selected is CONSERVATIVE
    told = engine.reload.told()
    assert (told["mode"], told["pending"], engine.restarts) == ("flat", None, [])
    assert engine.reload.in_force.risk.max_order_notional_usd == Decimal(1000)
    assert engine.reload.in_force.momentum_bots == before.momentum_bots


def test_files_that_would_switch_the_step_down_off_do_so_by_a_restart_alone_i41(
    tmp_path: Path,
) -> None:
    engine = with_modes(tmp_path)
    engine.reloads("step_down: true", "step_down: false", "bots.yaml")
    engine.life.halt(DAILY_LOSS.cause(since=engine.life.now, detail="a test"))
    engine.look()

    told = engine.reload.told()
    assert (told["mode"], told["mode_wanted"]) == ("primary", "fallback")
    assert "modes.step_down: true -> false (looser)" in told["pending"]
    assert "bot_closed:mom_AAPL_cross" in engine.life.causes  # until the restart that brings it


def test_a_step_down_is_one_from_what_is_in_force_not_from_what_the_files_would_like_k12(
    tmp_path: Path,
) -> None:
    engine = with_modes(tmp_path, ONE_MINUTE.replace("selected: primary", "selected: fallback"))
    engine.reloads("selected: fallback", "selected: primary", "bots.yaml")
    engine.life.halt(DAILY_LOSS.cause(since=engine.life.now, detail="a test"))
    engine.look()

    told = engine.reload.told()
    assert (told["mode"], told["mode_wanted"]) == ("fallback", "conservative")
    assert "bot_closed:mom_AAPL_cross" in engine.life.causes
