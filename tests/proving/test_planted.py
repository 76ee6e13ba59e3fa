"""The proof bites: with a bug planted in the engine a day is found in which an invariant is broken.

Each bug is one that somebody could write. It is planted here, and nowhere in the product.
"""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from actors import state_persister
from hydra.ports import GateKey
from hydra.proving.day import Breach, lived
from hydra.proving.plan import CONTRACTS, HALF_DAY, DayPlan, day_of
from hydra.proving.proof import RAISED, breaches_of, shrunk
from hydra.store.ledger import Ledger
from hydra.trading import reckoning, risk_checks, sub_ledgers
from hydra.trading.exact import multiply
from hydra.trading.option_holding import OptionHolding
from hydra.venues.simulated.faults import DriftPosition
from hydra.venues.simulated.in_process import InProcessVenue
from hydra.venues.simulated.misbehaviour import Match, Misbehaviour, Rule
from messages.orders import OrderApproved
from tests.thinned import thinned

SEEDS = range(8)
"""Of so few days one at least has to tell."""

Plant = Callable[[pytest.MonkeyPatch], None]


def no_limit_of_a_symbol(patch: pytest.MonkeyPatch) -> None:
    """A check is left out of the list."""
    checks = tuple(
        each for each in risk_checks.CHECKS if each.__name__ != "symbol_exposure_is_within_limit"
    )
    patch.setattr(risk_checks, "CHECKS", checks)


def sends_twice(patch: pytest.MonkeyPatch) -> None:
    """A retry below the record, as HTTP libraries have it."""
    submit = InProcessVenue.submit

    def retried(venue: InProcessVenue, approved: OrderApproved, key: GateKey) -> None:
        submit(venue, approved, key)
        submit(venue, approved, key)

    patch.setattr(InProcessVenue, "submit", retried)


PLANTED: dict[str, tuple[Plant, str]] = {
    "no limit of a symbol": (no_limit_of_a_symbol, "I31"),
    "sends twice": (sends_twice, "I15 I20"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("plant", "invariants"), PLANTED.values(), ids=PLANTED)
def test_a_planted_bug_is_found(
    plant: Plant, invariants: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)

    assert any(
        breach.invariants == invariants
        for seed in SEEDS
        for breach in lived(day_of(seed), tmp_path / str(seed)).breaches
    )


def test_what_the_engine_raises_is_told_as_of_its_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("no such disk")

    monkeypatch.setattr(Ledger, "open", broken)

    (breach,) = breaches_of(day_of(0))

    assert (breach.invariants, breach.what) == (RAISED, "OSError: no such disk")


def test_a_plan_that_fails_is_made_as_small_as_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    sends_twice(monkeypatch)

    assert shrunk(day_of(0)).size == 0  # it takes no trouble at all


def drifting(symbol: str, premium_usd: int | None) -> DayPlan:
    """Somebody else trades on the account."""
    drift = DriftPosition(symbol=symbol, quantity=Decimal(3))
    return DayPlan(
        market=1,
        minutes=HALF_DAY,
        schedule=None,
        venue=Misbehaviour(rules=(Rule(fault=drift, match=Match(from_event=60)),)),
        acts=(),
        premium_usd=premium_usd,
    )


@pytest.mark.parametrize(
    "plan", thinned([drifting("AAPL", None), drifting(CONTRACTS[0], 1_000)], 2)
)
def test_what_has_to_halt_an_engine_and_does_not_is_found_i60(
    plan: DayPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert breaches_of(plan) == ()

    monkeypatch.setattr(state_persister, "compare", lambda *_: ())

    assert Breach(
        "I22 I27 I29 I44 I60", "DriftPosition halted nothing to the end of the day"
    ) in breaches_of(plan)


OPTIONS = DayPlan(
    market=1, minutes=HALF_DAY, schedule=None, venue=Misbehaviour(), acts=(), premium_usd=1_000
)
WANTS_TOO_MUCH = structs.replace(OPTIONS, premium_usd=12_000)


def a_contract_is_one_share(patch: pytest.MonkeyPatch) -> None:
    """To the guardian, which weighs what may come of an order."""
    patch.setattr(reckoning, "units_of", lambda _: Decimal(1))


def a_contract_is_paid_as_one_share(patch: pytest.MonkeyPatch) -> None:
    """In the books of what each bot has."""
    patch.setattr(sub_ledgers, "value_of", lambda _, quantity, price: multiply(quantity, price))


def no_contract_is_sold(patch: pytest.MonkeyPatch) -> None:
    """The bot looks at what it holds, says so, and does nothing."""
    patch.setattr(OptionHolding, "wish", lambda _self, _now: None)


@pytest.mark.parametrize("plan", thinned([WANTS_TOO_MUCH, OPTIONS], 2))
def test_without_a_bug_contracts_come_to_what_they_should(plan: DayPlan) -> None:
    assert breaches_of(plan) == ()


@pytest.mark.parametrize(
    ("plan", "plant", "invariants"),
    [
        (WANTS_TOO_MUCH, a_contract_is_one_share, "I31"),
        pytest.param(OPTIONS, a_contract_is_paid_as_one_share, "liveness", marks=pytest.mark.slow),
        pytest.param(OPTIONS, no_contract_is_sold, "I43", marks=pytest.mark.slow),
    ],
)
def test_a_bug_planted_in_what_contracts_come_to_is_found(
    plan: DayPlan, plant: Plant, invariants: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch)

    assert {breach.invariants for breach in breaches_of(plan)} == {invariants}
