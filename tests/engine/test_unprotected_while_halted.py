"""A halted engine sends nothing: what only its own rules protect is unprotected, and that is said.

The halt ends all the same, and nothing of it is left behind.
"""

from hydra.actor import MINUTE, SECOND
from hydra.settings.bot_parts import ProtectiveOrder
from supervisors import paths
from tests.engine.harness import OPEN_AT, Life, World, bars_of, market_of, rising
from tests.engine.scenery import protected_by

FLAT = market_of(bars_of([100.0] * 3 + rising(12) + [100.5] * 40))
HELD_AT = OPEN_AT + 13 * MINUTE


def holding(protective_order: ProtectiveOrder) -> Life:
    life = World(FLAT, settings=protected_by(protective_order)).begin()
    life.run_to(HELD_AT)
    assert life.positions == {"mom_AAPL AAPL": 9}
    return life


def test_what_the_engine_alone_protects_is_reported_while_halted_and_no_halt_stays_for_it_i11() -> (
    None
):
    life = holding(ProtectiveOrder.ENGINE)

    life.halt_by_operator()
    life.run_closely(6 * MINUTE)

    told = life.view(paths.RISK_GUARDIAN)
    assert told["coverage_pct"] == "0.00"
    assert told["alarms"] == {"unprotected:AAPL": "mom_AAPL holds 9, unprotected while halted"}
    assert life.view(paths.EXIT_BOT)["lines"] == {
        "mom_AAPL AAPL": "NOT protected: 9 (9 while halted)"
    }
    assert list(life.causes) == ["operator-halt"]

    noted = life.resume()
    life.run_closely(20 * SECOND)

    told = life.view(paths.RISK_GUARDIAN)
    assert noted.refused == ()
    assert (life.causes, told["alarms"], told["coverage_pct"]) == ({}, {}, "100")


def test_what_rests_at_the_venue_is_protected_while_halted_i11() -> None:
    life = holding(ProtectiveOrder.RESTING)

    life.halt_by_operator()
    life.run_closely(MINUTE)

    told = life.view(paths.RISK_GUARDIAN)
    assert (told["coverage_pct"], told["alarms"]) == ("100", {})
