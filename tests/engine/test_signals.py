"""The signal bot in the whole engine: each signal once, within its limits, whatever crashes."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hydra.actor import MILLISECOND, MINUTE, SECOND
from hydra.settings import Settings
from hydra.trading.orders import Role
from hydra.trading.trade_signals import SignalAction, TradeSignal, number_of
from hydra.venues.simulated.market_data import MarketData
from messages.signals import SignalDone, SignalNote, SignalRead
from supervisors import paths
from tests.engine.harness import Life, World, bars_of, market_of, quiet, settings_with
from tests.engine.scenery import ENTRY_AT

BOT = paths.bot("signal_bot")
ON = {"signalbot.enabled": True, "signalbot.symbols": ("AAPL",)}


class Told:
    """In the bridge's place."""

    def __init__(self) -> None:
        self.notes: list[SignalNote] = []
        self.closed: str | None = None
        self.asked = 0

    def report(self) -> None:
        self.asked += 1

    def note(self, note: SignalNote) -> None:
        self.notes.append(note)

    def why_closed(self) -> str | None:
        return self.closed

    @property
    def done(self) -> list[tuple[str, SignalDone]]:
        return [(note.id, note.done) for note in self.notes]

    @property
    def last_reason(self) -> str:
        return self.notes[-1].reason


@pytest.fixture
def told() -> Told:
    return Told()


def signal(name: str = "s-1", *, at: int = ENTRY_AT, **changes: Any) -> TradeSignal:
    wish: dict[str, Any] = {"symbol": "AAPL", "action": SignalAction.BUY, "quantity": Decimal(5)}
    return TradeSignal(id=name, at=at, **{**wish, **changes})


def sale(name: str, *, at: int, **changes: Any) -> TradeSignal:
    return signal(name, at=at, action=SignalAction.SELL, **{"quantity": None, **changes})


def world_of(
    told: Told, data: MarketData | None = None, *, path: Path | None = None, **changes: object
) -> World:
    return World(data or quiet(60), settings=on(**changes), signals=told, ledger_path=path)


def on(**changes: object) -> Settings:
    named = {f"signalbot.{key.replace('__', '.')}": value for key, value in changes.items()}
    return settings_with({**ON, **named})


def begun(world: World, **how: Any) -> Life:
    life = world.begin(**how)
    life.run_to(max(ENTRY_AT, world.now))
    return life


def tell(life: Life, *signals: TradeSignal) -> None:
    for each in signals:
        life.tell(BOT, SignalRead(signal=each))


def sent(world: World) -> list[str]:
    """The legs of all orders that came to the venue."""
    return [name[-1] for name in world.submitted]


def test_a_buy_and_a_sale_are_executed_and_noted_with_what_was_paid(told: Told) -> None:
    life = begun(world := world_of(told))

    tell(life, signal(reason="crossed"))
    life.run_for(2 * MINUTE)
    held = dict(life.positions)
    tell(life, sale("s-2", at=life.now))
    life.run_for(2 * MINUTE)

    assert (held, life.positions) == ({"signal_bot AAPL": 5}, {})
    assert told.done == [
        ("s-1", SignalDone.WANTED),
        ("s-1", SignalDone.COMPLETE),
        ("s-2", SignalDone.WANTED),
        ("s-2", SignalDone.COMPLETE),
    ]
    assert (told.notes[1].quantity, told.notes[1].price) == (Decimal(5), Decimal(100))
    assert told.notes[1].client_order_id == world.submitted[0]
    assert sent(world) == ["e", "x"]


def test_a_signal_that_comes_again_is_one_order_also_over_a_crash_and_a_new_process_i16_i22(
    told: Told, tmp_path: Path
) -> None:
    world = world_of(told, path=tmp_path / "ledger.db")
    life = begun(world)
    tell(life, signal(), signal())
    life.crash(BOT)
    life.run_for(2 * MINUTE)
    tell(life, signal(at=life.now))
    life.run_for(MINUTE)
    life.die()
    later = begun(world)
    tell(later, signal(at=later.now))
    later.run_for(2 * MINUTE)

    assert sent(world) == ["e"]
    assert later.positions == {"signal_bot AAPL": 5}
    assert told.done[-1] == ("s-1", SignalDone.REPEATED)


def test_the_decision_bears_the_signals_number_and_the_bots_own_exits_never_do(
    told: Told,
) -> None:
    falling = bars_of([100.0] * 10 + [99.0] * 20)
    life = begun(world_of(told, market_of(falling)))

    tell(life, signal())
    life.run_for(8 * MINUTE)

    wishes = life.journal.events("order_intended")
    keys = [each["intent"].decision for each in wishes]
    assert [(key.signal, key.role) for key in keys if key.bot == "signal_bot"] == [
        (number_of("s-1"), Role.ENTRY),
        (1, Role.EXIT),
    ]
    assert life.positions == {}


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (signal(at=ENTRY_AT - 61 * SECOND), "is 61 s old"),
        (signal(at=ENTRY_AT + 6 * SECOND), "dated 6 s in the future"),
        (signal(expires_at=ENTRY_AT), "it expired"),
        (signal(symbol="TSLA"), "TSLA is not in signalbot.symbols"),
        (signal(quantity=Decimal(51)), "5100.0 USD, at most 5000 USD"),
        (signal(quantity=None, notional_usd=Decimal(99)), "less than one share"),
        (signal(stop_price=Decimal(100)), "is not below the price"),
        (sale("s-1", at=ENTRY_AT), "nothing is held"),
    ],
)
def test_what_may_not_be_done_is_refused_for_good(
    told: Told, wish: TradeSignal, words: str
) -> None:
    life = begun(world := world_of(told))

    tell(life, wish, wish)
    life.run_for(MINUTE)

    assert told.done == [("s-1", SignalDone.REFUSED)]
    assert words in told.last_reason
    assert sent(world) == []


def test_closed_by_its_kill_file_it_buys_nothing_and_sells_what_it_holds(told: Told) -> None:
    life = begun(world := world_of(told))
    tell(life, signal())
    life.run_for(2 * MINUTE)
    told.closed = "its kill file is there"

    tell(life, signal("s-2", at=life.now), sale("s-3", at=life.now))
    life.run_for(2 * MINUTE)

    assert sent(world) == ["e", "x"]
    assert ("s-2", SignalDone.REFUSED) in told.done
    assert life.positions == {}


def test_the_days_orders_and_notional_are_counted_over_a_new_process_e3(
    told: Told, tmp_path: Path
) -> None:
    limits: dict[str, Any] = {
        "limits__max_orders_per_day": 2,
        "limits__max_notional_per_day_usd": Decimal(1200),
    }
    world = world_of(told, path=tmp_path / "ledger.db", **limits)
    life = begun(world)
    tell(life, signal("a"))
    life.run_for(2 * MINUTE)
    tell(life, sale("b", at=life.now))
    life.run_for(2 * MINUTE)
    life.die()
    later = begun(world)
    later.run_for(MINUTE)

    tell(later, signal("c", at=later.now, quantity=Decimal(8)))
    too_much = told.last_reason
    tell(later, signal("d", at=later.now, quantity=Decimal(7)))
    later.run_for(2 * MINUTE)
    tell(later, sale("e", at=later.now))
    later.run_for(2 * MINUTE)
    tell(later, signal("f", at=later.now, quantity=Decimal(1)))

    assert too_much == "the day's entries would be worth 1300.0 USD, at most 1200 USD allowed"
    assert told.last_reason == "it has made its 2 entries of the day, at most 2 allowed"
    assert sent(world) == ["e", "x", "e", "x"]


def test_its_own_stop_closes_the_position_also_in_a_new_process_i30_i38(
    told: Told, tmp_path: Path
) -> None:
    dropping = bars_of([100.0] * 20 + [99.75] * 20)
    world = world_of(told, market_of(dropping), path=tmp_path / "ledger.db")
    life = begun(world)
    tell(life, signal(stop_price=Decimal("99.80")))
    life.run_for(3 * MINUTE)
    life.die()
    later = begun(world)
    later.run_for(20 * MINUTE)

    assert later.positions == {}
    reasons = [each["intent"].reason for each in later.journal.events("order_intended")]
    assert reasons == ["signal_stop"]
    assert sent(world) == ["e", "x"]


def test_a_limited_buy_pays_no_more_and_leaves_nothing_working(told: Told) -> None:
    life = begun(world := world_of(told))

    tell(life, signal("low", limit_price=Decimal("99.90")))
    life.run_for(2 * MINUTE)
    tell(life, signal("fine", at=life.now, limit_price=Decimal("100.10")))
    life.run_for(2 * MINUTE)

    assert told.done[1] == ("low", SignalDone.ENDED)
    assert told.done[-1] == ("fine", SignalDone.COMPLETE)
    assert life.positions == {"signal_bot AAPL": 5}
    assert len(world.submitted) == 2


def test_a_signal_that_comes_before_any_price_waits_for_one(told: Told) -> None:
    world = world_of(told)
    life = world.begin()
    life.run_to(ENTRY_AT - 6 * MINUTE - 6 * SECOND)
    early = ENTRY_AT - 65 * SECOND

    tell(life, signal("waits", at=early, expires_at=ENTRY_AT + MINUTE))
    life.run_to(ENTRY_AT)

    assert told.done == [("waits", SignalDone.REFUSED)]
    assert "in the future" in told.last_reason


def test_what_the_guardian_denies_has_its_end(told: Told) -> None:
    world = World(
        quiet(60),
        settings=settings_with({**ON, "risk.max_order_notional_usd": Decimal(400)}),
        signals=told,
    )
    life = begun(world)

    tell(life, signal())
    life.run_for(MINUTE)

    assert told.done == [("s-1", SignalDone.WANTED), ("s-1", SignalDone.DENIED)]
    assert told.last_reason.startswith("order_value_is_within_limit: ")


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 30))]
)
def test_wherever_a_crash_falls_a_signal_is_one_order_and_has_its_end_i16_i22(
    told: Told, seed: int
) -> None:
    world = world_of(told)
    life = begun(world, explore=seed)
    crashes = (seed * 3 * MILLISECOND, seed * MILLISECOND)
    life.runtime.tell(BOT, SignalRead(signal=signal()))
    for after in crashes:
        life.advance(after)
        life.crash(BOT)
        life.advance(200 * MILLISECOND)  # it is there again, and what has no end is told again
        life.runtime.tell(BOT, SignalRead(signal=signal()))
    life.run_for(3 * MINUTE)

    assert [name[-1] for name in world.submitted] == ["e"]
    assert life.positions == {"signal_bot AAPL": 5}
    assert told.notes[-1].done.is_final
    assert told.asked == 3
