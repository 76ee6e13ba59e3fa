"""Everything at once, by a seed: bots, operators, crashes, kills, and a venue on its worst days.

What a seed has found stays here under its number.
"""

import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hydra.actor import MINUTE, SECOND
from hydra.trading.exact import total
from hydra.trading.orders import Side
from hydra.venues.simulated.random_plan import RECOVERABLE, random_plan
from messages.control import RecordChanged
from messages.reconciliation import ReconcileNow
from supervisors import paths
from tests.engine.harness import ENTRY_AT, World, bars_of, market_of, settings_with
from tests.engine.judge import exposure_of, require_agreement, require_sound

BOTS = ("mom_AAPL", "mom_AAPL_cross")
LIMIT = Decimal(3_000)
SETTINGS = settings_with(
    {
        "guards.exposure.max_symbol_usd": LIMIT,
        "safety.global_cooldown_minutes": 1,
        "exitbot.cooloff_minutes": 1,
        "guards.pace.max_entries_per_day": 1_000,
        "risk.max_orders_per_minute": 30,
        "guards.pace.max_entries_per_minute_per_symbol": 30,
        "guards.pace.max_round_trips_per_bot_per_day": 1_000,
    }
)
MAY_BREAK = (
    paths.RISK_GUARDIAN,
    paths.BROKER_GATEWAY,
    paths.STATE_PERSISTER,
    paths.JOURNAL_WRITER,
    paths.FLATTENER,
    paths.HEALTH_MONITOR,
    paths.DATA_FEED,
)


class Storm:
    """One world under everything. Prices hardly move, so that exposure is what was decided."""

    def __init__(self, seed: int, ledger_path: Path) -> None:
        self.dice = random.Random(f"storm|{seed}")
        closes = [round(100 + self.dice.uniform(-0.3, 0.3), 2) for _ in range(60)]
        plan = random_plan(seed, ("AAPL",), RECOVERABLE)
        self.explored = seed if seed % 3 == 0 else None
        self.world = World(
            market_of(bars_of(closes)), plan, ledger_path=ledger_path, settings=SETTINGS
        )
        self.life = self.world.begin(with_bots=False, explore=self.explored)
        self.life.run_to(ENTRY_AT)
        self.broken_at = 0
        self.decided: list[dict[str, Any]] = []

    def step(self) -> None:
        """One thing happens, and some time passes."""
        wishes = (self.enter, self.enter, self.enter, self.leave, self.leave, self.repeat)
        (happening,) = self.dice.choices(
            (*wishes, self.halt, self.resume, self.break_one, self.kill, self.flatten, self.ask),
            weights=(6,) * len(wishes) + (0.7, 4, 0.7, 0.7, 0.3, 1),
        )
        happening()
        if self.life.runtime.failed_closed is not None:
            self.kill()
        self.life.run_for(self.dice.choice((0, 1, 10**3, 10**6, SECOND, 7 * SECOND, 20 * SECOND)))
        self.require_limits()

    def enter(self) -> None:
        limit = self.dice.choice((None, "99.5", "97", "100.5"))
        self.decide(
            bot=self.dice.choice(BOTS),
            quantity=self.dice.randint(1, 12),
            limit=limit,
            protective_stop="96.5",
            signal=next(self.world.signals),
        )

    def leave(self) -> None:
        held = self.life.positions
        if held:
            bot, quantity = self.dice.choice(sorted(held.items()))
            wanted = self.dice.randint(1, int(quantity) + 1)
            self.life.exit(wanted, bot=bot.split()[0], limit=self.dice.choice((None, None, "103")))

    def repeat(self) -> None:
        if self.decided:
            self.life.enter(**self.dice.choice(self.decided))

    def decide(self, **wishes: Any) -> None:
        self.decided.append(wishes)
        self.life.enter(**wishes)

    def halt(self) -> None:
        self.life.halt_by_operator()

    def resume(self) -> None:
        self.life.resume()

    def break_one(self) -> None:
        if self.life.now - self.broken_at > 2 * MINUTE:
            self.broken_at = self.life.now
            self.life.crash(self.dice.choice(MAY_BREAK))
            self.life.advance(SECOND)  # until it is back

    def kill(self) -> None:
        self.life.die()
        if self.dice.random() < 0.3:
            self.world.pass_by(self.world.now + self.dice.randrange(90) * SECOND)
        self.life = self.world.begin(with_bots=False, explore=self.explored)
        self.broken_at = 0

    def flatten(self) -> None:
        self.life.flatten()

    def ask(self) -> None:
        self.life.runtime.tell(paths.BROKER_GATEWAY, ReconcileNow(reason="an operator"))
        self.life.runtime.tell(paths.RISK_GUARDIAN, RecordChanged())

    def require_limits(self) -> None:
        """At the venue, as it is now, with everything that could still fill.

        A cancel that is told while the fill before it is lost or late takes more off than it
        should, for as long as that is not heard of.
        """
        heard = {fill.execution_id for fill in self.life.ledger.fills()}
        unheard = [
            fill.quantity * fill.price
            for fill in self.world.fills
            if fill.execution_id not in heard
        ]
        assert exposure_of(self.world.exchange) <= LIMIT * Decimal("1.01") + total(unheard)
        assert all(quantity >= 0 for quantity in self.world.positions.values())


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 100))]
)
def test_whatever_happens_nothing_is_sent_twice_or_beyond_its_limit_and_books_agree_i16_i20_i31_i61(
    tmp_path: Path, seed: int
) -> None:
    storm = Storm(seed, tmp_path / "ledger.db")

    for _ in range(60):
        storm.step()

    life, world = storm.life, storm.world
    life.run_closely(3 * MINUTE)
    require_sound(world)
    require_agreement(world)
    sold = [fill for fill in life.ledger.fills() if fill.side is Side.SELL]
    assert sum(fill.quantity for fill in sold) <= sum(
        fill.quantity for fill in life.ledger.fills() if fill.side is Side.BUY
    )
