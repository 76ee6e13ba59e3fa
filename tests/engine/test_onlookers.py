"""What becomes of trading when what serves onlookers breaks: nothing, and a kill still works."""

from functools import partial
from pathlib import Path

import pytest

from hydra.actor import MINUTE, SECOND, Ref
from hydra.assembly import assemble
from hydra.ops.kill_watch import KillWatch
from hydra.testkit.faults import Gibberish
from hydra.trading.kill_switch import Source
from hydra.trading.trading_state import TradingState
from messages.message import Message
from tests.engine.harness import World, begun, quiet
from tests.engine.judge import require_agreement, require_sound

SERVER: Ref[Message] = Ref("/hydra/ops/debug_server")


class Onlooking:
    """A service that notes whether it is open."""

    is_open = False

    def open(self) -> None:
        self.is_open = True

    def close(self) -> None:
        self.is_open = False


class NeverOpen(Onlooking):
    """One whose path is taken, say."""

    def open(self) -> None:
        raise OSError("the socket is taken")


@pytest.mark.parametrize("service", [Onlooking(), NeverOpen()], ids=["dies", "does not start"])
def test_what_serves_onlookers_dies_and_trading_goes_on_and_a_kill_works_i12_i69(
    service: Onlooking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = {SERVER.name: service}
    monkeypatch.setattr("tests.engine.harness.assemble", partial(assemble, services=named))
    world = World(quiet())
    life = begun(world)

    was_open = service.is_open
    life.runtime.tell(SERVER, Gibberish())
    life.run_for(MINUTE)
    closed = not service.is_open
    first = life.enter(1)
    life.run_for(MINUTE)
    (tmp_path / "kill_switch").write_text("halt_all\n")
    watch = KillWatch(life.runtime, None, {Source.STATE_FILE: tmp_path / "kill_switch"})
    watch.look_once()
    assert watch.stop(1.0)
    life.enter(2)
    life.run_for(10 * SECOND)

    assert was_open is not isinstance(service, NeverOpen)
    assert closed and SERVER.path not in life.runtime.cells
    assert life.status_of(first) == "filled"
    assert life.causes == {"kill_switch:state_file": TradingState.HALTED}
    assert world.submitted == [first]
    require_sound(world)
    require_agreement(world)
