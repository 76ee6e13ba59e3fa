"""What the venue keeps of executions: bots, risk and comparison go by what is left."""

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec import structs

from hydra.actor import MINUTE, SECOND
from hydra.trading.differences import DifferenceKind
from hydra.trading.exact import add, total
from hydra.trading.fees import ALPACA_FEES, USD, FeeBasis, FeeSchedule
from hydra.trading.sub_ledgers import UNATTRIBUTED, SubLedger
from hydra.trading.trading_state import TradingState
from hydra.trading.venue_view import VenueFee
from hydra.venues.simulated.exchange import SimulatedExchange
from hydra.venues.simulated.market_data import MarketData
from hydra.venues.simulated.terms import VenueTerms
from messages.positions import PositionsReported, ReportPositions
from messages.reconciliation import (
    DifferencesReported,
    ReconcileNow,
    ReportDifferences,
    SnapshotFailed,
    SnapshotTaken,
)
from messages.summary import SessionSummary, Summarize
from supervisors import paths
from tests.engine.harness import (
    Life,
    World,
    bars_of,
    begun,
    market_of,
    play,
    rising,
    settings_with,
)
from tests.engine.judge import require_agreement, require_sound

BTC = "BTC/USD"
BOT = "crypto_core"
PRICE = "100"
BOUGHT = Decimal("3.333333333")
KEPT = Decimal("0.008333334")
"""25 bps of it, rounded up to a billionth."""
HELD = BOUGHT - KEPT


def market() -> MarketData:
    """A quiet day of a share, whose bots are there, and of a coin."""
    bars = [*bars_of([100.0] * 60), *bars_of([100.0] * 60, symbol=BTC)]
    return market_of(tuple(sorted(bars, key=lambda bar: (bar.end_at, bar.symbol))))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Nothing is compared but at a start, and when a test asks for it."""
    return World(
        market(),
        ledger_path=tmp_path / "ledger.db",
        settings=settings_with({"guards.deadlines.reconcile_every_seconds": 3600}),
        terms=VenueTerms(crypto_fee_bps=Decimal(25)),
    )


def buy(life: Life) -> None:
    life.enter(bot=BOT, symbol=BTC, quantity=BOUGHT, reference=PRICE)
    life.run_for(2 * MINUTE)


def sell(life: Life, quantity: Decimal) -> None:
    life.exit(bot=BOT, symbol=BTC, quantity=quantity, reference=PRICE)
    life.run_for(2 * MINUTE)


def compare(life: Life) -> list[tuple[DifferenceKind, str]]:
    """Compare now; gives what differs."""
    life.tell(paths.BROKER_GATEWAY, ReconcileNow(reason="a test"))
    life.advance(10 * SECOND)
    report = life.ask(paths.BROKER_GATEWAY, ReportDifferences())
    assert isinstance(report, DifferencesReported)
    assert report.checked
    return [(each.kind, each.subject) for each in report.differences]


def of_guardian(life: Life) -> tuple[tuple[str, str, Decimal], ...]:
    reported = life.ask(paths.RISK_GUARDIAN, ReportPositions())
    assert isinstance(reported, PositionsReported)
    return reported.positions


def bases(life: Life) -> list[tuple[str, Decimal, FeeBasis]]:
    """Of every fee on record: in what, how much, and how it is known."""
    return [(fee.asset, fee.amount, fee.basis) for fee in life.ledger.fees()]


def test_bot_and_guardian_hold_what_is_left_of_a_coin_before_anything_is_compared(
    world: World,
) -> None:
    life = begun(world)
    buy(life)

    assert life.positions == {f"{BOT} {BTC}": HELD} == {f"{BOT} {BTC}": world.positions[BTC]}
    assert of_guardian(life) == ((BOT, BTC, HELD),)
    (told,) = life.journal.events("fee_accrued")
    assert told["fee"].amount == KEPT


def test_a_round_trip_with_fees_agrees_with_the_venue_to_the_last_digit_i23_i61(
    world: World,
) -> None:
    life = begun(world)
    buy(life)
    assert compare(life) == []
    sell(life, HELD)

    assert compare(life) == []
    assert (life.positions, world.positions, life.state) == ({}, {}, TradingState.ACTIVE)
    require_agreement(world)
    require_sound(world)
    value = HELD * 100
    (money,) = [each for each in life.ledger.sub_ledgers() if each.bot == BOT]
    assert money.cash == money.realised == value - BOUGHT * 100 - value * Decimal("0.0025")
    assert bases(life) == [
        (BTC, KEPT, FeeBasis.BOOKED),
        (USD, value * Decimal("0.0025"), FeeBasis.BOOKED),
    ]


def test_no_more_is_sold_than_what_the_fee_has_left(world: World) -> None:
    life = begun(world)
    buy(life)
    sell(life, BOUGHT)

    assert life.denials == ["exit_reduces_position"]
    assert world.positions == {BTC: HELD}


@pytest.mark.parametrize("is_compared", [True, False])
def test_a_restart_at_any_point_goes_on_with_what_is_left_i23_i38(
    world: World, *, is_compared: bool
) -> None:
    life = begun(world)
    buy(life)
    if is_compared:
        assert compare(life) == []
    held = life.ledger.state_hash()
    life.die()

    again = world.begin(with_bots=False)
    again.advance(10 * SECOND)
    assert of_guardian(again) == ((BOT, BTC, HELD),)
    assert bases(again) == [(BTC, KEPT, FeeBasis.BOOKED)]
    if is_compared:
        assert [each["parts"] for each in again.journal.events("fee_booked")] == []
    assert again.causes == {}
    sell(again, HELD)
    again.die()

    last = world.begin(with_bots=False)
    last.advance(10 * SECOND)
    assert (last.positions, last.causes) == ({}, {})
    require_agreement(world)
    assert held != last.ledger.state_hash()


def test_the_guardian_rebuilt_from_the_record_is_the_one_that_lived_i38(world: World) -> None:
    life = begun(world)
    buy(life)
    sell(life, Decimal(1))
    assert compare(life) == []
    figures = ("positions", "exposure", "heat", "equity", "budgets")
    lived = life.view(paths.RISK_GUARDIAN)

    life.crash(paths.RISK_GUARDIAN)
    life.run_for(2 * MINUTE)

    again = life.view(paths.RISK_GUARDIAN)
    assert [again[figure] for figure in figures] == [lived[figure] for figure in figures]
    (money,) = [each for each in life.ledger.sub_ledgers() if each.bot == BOT]
    (counted,) = [each for each in life.ledger.counters("2016-04-15") if each.bot == BOT]
    assert counted.realised == money.realised < 0


def test_what_is_missing_beyond_the_fee_halts_and_stays_i29_i61(world: World) -> None:
    life = begun(world)
    buy(life)
    world.exchange.engine.account.adjust(BTC, Decimal("-0.001"))

    assert compare(life) == [(DifferenceKind.POSITION, BTC)]
    assert life.state is TradingState.HALTED
    assert life.positions == {f"{BOT} {BTC}": HELD}


def test_what_is_missing_after_the_fee_is_known_halts_however_small_it_is_i29(
    world: World,
) -> None:
    life = begun(world)
    buy(life)
    assert compare(life) == []
    world.exchange.engine.account.adjust(BTC, Decimal("-0.000000001"))

    assert compare(life) == [(DifferenceKind.POSITION, BTC)]
    assert life.state is TradingState.HALTED


def test_cash_that_a_fee_does_not_explain_halts_i29(world: World) -> None:
    life = begun(world)
    buy(life)
    sell(life, HELD)
    world.exchange.engine.account.adjust_cash(Decimal("-0.02"))

    assert compare(life) == [(DifferenceKind.CASH, "cash")]
    assert life.state is TradingState.HALTED


def test_a_venue_that_keeps_nothing_is_as_it_always_was(tmp_path: Path) -> None:
    terms = VenueTerms(crypto_fee_bps=Decimal(0))
    world = World(market(), ledger_path=tmp_path / "ledger.db", terms=terms)
    life = begun(world)
    buy(life)
    sell(life, BOUGHT)

    assert compare(life) == []
    require_agreement(world)
    assert bases(life) == []
    assert world.positions == {}


def test_the_reporter_counts_fees_into_what_was_made(world: World) -> None:
    life = begun(world)
    buy(life)
    sell(life, HELD)

    summary = life.ask(paths.REPORTER, Summarize())

    assert isinstance(summary, SessionSummary)
    traded = total(trade.realised for trade in summary.trades)
    paid = total(fee.usd for fee in summary.fees)
    (money,) = [each for each in life.ledger.sub_ledgers() if each.bot == BOT]
    assert add(traded, paid.copy_negate()) == money.realised


class Lenient(SimulatedExchange):
    """Keeps less than the schedule says, and books it late."""

    books = True

    @property
    def fees(self) -> FeeSchedule:
        return ALPACA_FEES

    def _snapshot(self, number: int, since: int, at: int) -> SnapshotTaken | SnapshotFailed:
        taken = super()._snapshot(number, since, at)
        if self.books or isinstance(taken, SnapshotFailed):
            return taken
        return structs.replace(taken, snapshot=structs.replace(taken.snapshot, fees=()))


KEPT_OF_LESS = Decimal("0.005000000")
"""15 bps."""
HELD_OF_LESS = BOUGHT - KEPT_OF_LESS


@pytest.fixture
def lenient(world: World) -> Lenient:
    exchange = Lenient(VenueTerms(crypto_fee_bps=Decimal(15)), world.log)
    world.exchange = exchange
    return exchange


@pytest.mark.parametrize("books", [True, False])
def test_what_the_venue_did_not_keep_is_the_bots_again_once_it_is_seen(
    world: World, lenient: Lenient, *, books: bool
) -> None:
    lenient.books = books
    life = begun(world)
    buy(life)
    assert life.positions == {f"{BOT} {BTC}": HELD}

    assert compare(life) == []

    assert life.positions == {f"{BOT} {BTC}": HELD_OF_LESS}
    assert of_guardian(life) == ((BOT, BTC, HELD_OF_LESS),)
    sell(life, HELD_OF_LESS)
    assert compare(life) == []
    assert (life.positions, world.positions, life.causes) == ({}, {}, {})
    require_agreement(world)


def test_what_is_seen_first_and_booked_later_counts_once_also_over_a_restart_i23(
    world: World, lenient: Lenient
) -> None:
    lenient.books = False
    life = begun(world)
    buy(life)
    assert compare(life) == []
    assert bases(life) == [(BTC, KEPT_OF_LESS, FeeBasis.OBSERVED)]
    life.die()
    lenient.books = True

    for _ in range(2):
        again = world.begin(with_bots=False)
        assert compare(again) == []
        assert bases(again) == [(BTC, KEPT_OF_LESS, FeeBasis.BOOKED)]
        assert again.positions == {f"{BOT} {BTC}": HELD_OF_LESS}
        again.die()
    last = world.begin(with_bots=False)
    assert compare(last) == []
    require_agreement(world)


def test_what_is_left_over_when_all_was_sold_is_dust_that_halts_nobody_i61(
    world: World, lenient: Lenient
) -> None:
    life = begun(world)
    buy(life)
    sell(life, HELD)
    dust = HELD_OF_LESS - HELD
    assert world.positions == {BTC: dust}

    assert compare(life) == []

    (excluded,) = life.ledger.exclusions()
    assert (excluded.subject, excluded.quantity, excluded.operator) == (BTC, dust, "fees")
    assert (life.positions, life.causes) == ({}, {})
    life.die()
    again = world.begin(with_bots=False)
    assert compare(again) == []
    assert again.causes == {}
    again.run_for(MINUTE)
    buy(again)
    assert compare(again) == []
    assert of_guardian(again) == ((BOT, BTC, HELD_OF_LESS),)


def charged(world: World, amount: str) -> None:
    """The venue takes a fee of the day, and books it."""
    engine = world.exchange.engine
    engine.account.adjust_cash(Decimal(amount).copy_negate())
    engine.book_fee(
        VenueFee(
            activity_id=f"day-{amount}",
            asset=USD,
            symbol="",
            amount=Decimal(amount),
            at=world.now,
            is_of_coins=False,
        )
    )


def test_a_fee_of_the_day_is_the_accounts_and_no_bots(world: World) -> None:
    life = begun(world)
    life.enter(3)
    life.run_for(2 * MINUTE)
    assert compare(life) == []
    before = life.ledger.sub_ledgers()
    charged(world, "0.02")

    assert compare(life) == []

    assert life.causes == {}
    own = SubLedger(bot=UNATTRIBUTED, cash=Decimal("-0.02"))
    assert life.ledger.sub_ledgers() == (*before, own)
    require_agreement(world)
    assert compare(life) == []
    assert life.ledger.sub_ledgers() == (*before, own)


def test_a_fee_of_the_day_beyond_what_was_traded_halts_i29(world: World) -> None:
    life = begun(world)
    life.enter(3)
    life.run_for(2 * MINUTE)
    charged(world, "5")

    assert compare(life) == [(DifferenceKind.CASH, "cash")]
    assert life.state is TradingState.HALTED


def test_the_coins_own_bot_trades_round_trips_and_is_flat_after_each_i23_i61() -> None:
    """It sells what it has, not what was executed, and an increment left over stops nothing."""
    there_and_back = [*rising(30, step=0.2), *rising(30, from_price=106.0, step=-0.2)]
    exchange = SimulatedExchange(VenueTerms(crypto_fee_bps=Decimal(25)))

    played = play(market_of(bars_of(there_and_back * 4, symbol=BTC)), exchange=exchange)

    assert played.journal.events("halt_latched") == []
    assert len(played.summary.trades) > 2
    assert [fee.asset for fee in played.summary.fees] == [BTC, USD] * len(played.summary.trades)
    assert [held.inventory.position for held in played.ledger.inventories()] == [Decimal(0)]
    assert exchange.engine.account.positions() == ()
    (money,) = played.ledger.sub_ledgers()
    assert money.cash == money.realised == exchange.engine.account.cash - 100_000
