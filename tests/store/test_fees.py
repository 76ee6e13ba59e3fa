"""Fees in the ledger: with their execution or not at all, once, and proven like all else."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import apsw
import pytest
from msgspec import structs

from hydra.store.checking import chain_head, require_replay, require_state
from hydra.store.connection import connected_to_read
from hydra.store.ledger import Ledger, LedgerFailed
from hydra.store.verification import verify_file
from hydra.trading.differences import DifferenceKind
from hydra.trading.fees import (
    ALPACA_FEES,
    USD,
    Fee,
    FeeBasis,
    FeeBooking,
    FeeChange,
    FeeObservation,
    FeePart,
    explained,
)
from hydra.trading.orders import Order, Role, Side
from hydra.trading.sub_ledgers import UNATTRIBUTED, SubLedger
from hydra.trading.venue_view import VenueAccount, VenueFee, VenuePosition, VenueSnapshot
from tests.store.kept import ledger_of_version_1
from tests.store.orders import AT, approved, decision, filled

BTC = "BTC/USD"
PRICE = Decimal("61249.1")
BOUGHT = Decimal("0.0125")
KEPT = Decimal("0.00003125")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.db"


def opened(path: Path) -> Ledger:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    return Ledger.open(path, venue="paper", at=AT)


def ordered(ledger: Ledger, signal: int, role: Role = Role.ENTRY, side: Side = Side.BUY) -> Order:
    key = decision(signal=signal, symbol=BTC, role=role)
    one = approved(key, quantity=BOUGHT, side=side)
    ledger.record_intent(one, AT)
    return one.order


def bought(ledger: Ledger, signal: int = 1) -> Order:
    """An eightieth of a coin, with its fee; committed."""
    order = ordered(ledger, signal)
    report = filled(order, BOUGHT, f"x-{signal}", price=PRICE)
    recorded = ledger.record_report(report, AT, ALPACA_FEES)
    assert recorded.fee is not None
    ledger.commit()
    return order


def charge(amount: str, asset: str = BTC, **changes: Any) -> VenueFee:
    fields = {"activity_id": "a-1", "symbol": BTC, "at": AT, "is_of_coins": True, **changes}
    return VenueFee(asset=asset, amount=Decimal(amount), **fields)


def part(order: Order, amount: str, execution_id: str = "x-1") -> FeePart:
    return FeePart(
        client_order_id=order.client_order_id, execution_id=execution_id, amount=Decimal(amount)
    )


def seen(order: Order, amount: str, dust: str = "0") -> FeeObservation:
    change = FeeChange(
        client_order_id=order.client_order_id,
        execution_id="x-1",
        amount=Decimal(amount),
        dust=Decimal(dust),
    )
    return FeeObservation(BTC, (change,))


def snapshot(*fees: VenueFee, held: str = "0.01246875", cash: str = "0") -> VenueSnapshot:
    return VenueSnapshot(
        at=AT,
        since=0,
        account=VenueAccount(account="PA-1", cash=Decimal(cash), equity=None),
        positions=(VenuePosition(symbol=BTC, quantity=Decimal(held)),),
        orders=(),
        fills=(),
        fees=fees,
    )


def test_what_the_venue_has_not_heard_of_is_named(path: Path) -> None:
    ledger = opened(path)
    order = bought(ledger)
    told = snapshot()
    report = filled(order, BOUGHT, "x-1", price=PRICE)

    assert ledger.fee_record(told).unheard == {BTC}
    assert ledger.fee_record(structs.replace(told, fills=(report.fill,))).unheard == set()
    assert ledger.fee_record(structs.replace(told, since=AT)).unheard == set()
    ledger.close()


def position(ledger: Ledger) -> Decimal:
    (held,) = ledger.inventories()
    return held.inventory.position


def of(fee: Fee) -> tuple[str, str, Decimal, Decimal, FeeBasis]:
    return fee.bot, fee.asset, fee.amount, fee.booked, fee.basis


def require_proven(path: Path) -> None:
    """The tables are what the events say, and the offline check says so as well."""
    connection = apsw.Connection(str(path))
    require_state(connection, chain_head(connection))
    require_replay(connection, lambda _seq: None)
    connection.close()
    assert verify_file(path, lambda _name, _done, _of: None).is_well


def test_an_execution_and_its_fee_are_on_record_together_i23(path: Path) -> None:
    ledger = opened(path)
    order = bought(ledger)
    ledger.close()

    ledger = opened(path)

    (fee,) = ledger.fees()
    assert of(fee) == ("momentum", BTC, KEPT, Decimal(0), FeeBasis.ACCRUED)
    assert (fee.client_order_id, fee.execution_id) == (order.client_order_id, "x-1")
    assert position(ledger) == BOUGHT - KEPT
    lost = KEPT * PRICE
    assert ledger.sub_ledgers() == (
        SubLedger(bot="momentum", cash=-BOUGHT * PRICE, realised=-lost),
    )
    assert [each.realised for each in ledger.counters("2024-01-02")] == [-lost]
    ledger.close()
    require_proven(path)


def test_an_execution_that_was_not_committed_leaves_no_fee_either(path: Path) -> None:
    ledger = opened(path)
    order = ordered(ledger, 1)
    ledger.commit()
    ledger.record_report(filled(order, BOUGHT, "x-1", price=PRICE), AT, ALPACA_FEES)
    ledger.abandon()

    ledger = opened(path)

    assert (ledger.fees(), ledger.fills(), ledger.inventories()) == ((), (), ())
    ledger.close()


def test_an_execution_that_is_told_again_has_its_fee_once_i23(path: Path) -> None:
    ledger = opened(path)
    order = bought(ledger)

    again = ledger.record_report(filled(order, BOUGHT, "x-1", price=PRICE), AT, ALPACA_FEES)

    assert (again.duplicate, again.fee, len(ledger.fees())) == (True, None, 1)
    ledger.close()


def test_the_fee_of_a_sale_is_cash(path: Path) -> None:
    ledger = opened(path)
    bought(ledger)
    left = BOUGHT - KEPT
    order = ordered(ledger, 2, Role.EXIT, Side.SELL)
    ledger.record_report(filled(order, left, "x-2", price=PRICE), AT, ALPACA_FEES)
    ledger.commit()

    (money,) = ledger.sub_ledgers()

    taken = left * PRICE * Decimal("0.0025")
    assert money.cash == money.realised == left * PRICE - BOUGHT * PRICE - taken
    assert [of(fee)[1:3] for fee in ledger.fees()] == [(BTC, KEPT), (USD, taken)]
    assert position(ledger) == 0
    ledger.close()
    require_proven(path)


def test_what_a_comparison_shows_changes_the_position_and_lasts(path: Path) -> None:
    ledger = opened(path)
    order = bought(ledger)
    ledger.record_fees(seen(order, "0.00001875"), AT)
    ledger.commit()
    ledger.close()

    ledger = opened(path)

    (fee,) = ledger.fees()
    assert of(fee)[2:] == (Decimal("0.00001875"), Decimal(0), FeeBasis.OBSERVED)
    assert position(ledger) == BOUGHT - Decimal("0.00001875")
    (money,) = ledger.sub_ledgers()
    assert money.realised == -Decimal("0.00001875") * PRICE
    ledger.close()
    require_proven(path)


def test_dust_is_left_out_of_the_comparison_and_no_bots(path: Path) -> None:
    ledger = opened(path)
    order = bought(ledger)
    ledger.record_fees(seen(order, "0.00001875", dust="0.0000125"), AT)
    ledger.commit()

    (excluded,) = ledger.exclusions()

    assert (excluded.kind, excluded.subject) == (DifferenceKind.POSITION, BTC)
    assert (excluded.quantity, excluded.operator) == (Decimal("0.0000125"), "fees")
    assert position(ledger) == BOUGHT - KEPT
    ledger.record_fees(seen(order, "0.00003125", dust="-0.0000125"), AT)
    ledger.commit()
    assert (ledger.exclusions(), position(ledger)) == ((), BOUGHT - KEPT)
    ledger.close()
    require_proven(path)


def test_an_activity_takes_the_place_of_the_accrual_exactly_once_i23(path: Path) -> None:
    ledger = opened(path)
    order = bought(ledger)
    told = charge("0.00003125")
    ledger.record_fees(FeeBooking(told, (part(order, "0.00003125"),)), AT)
    ledger.commit()
    ledger.close()

    ledger = opened(path)

    (fee,) = ledger.fees()
    assert of(fee)[2:] == (KEPT, KEPT, FeeBasis.BOOKED)
    assert position(ledger) == BOUGHT - KEPT
    known = ledger.fee_record(snapshot(told))
    assert (known.fees, known.booked) == ((), frozenset({("a-1", BTC)}))
    assert explained(known, [told], ()) == ()
    ledger.close()
    require_proven(path)


def test_a_fee_of_the_account_is_nobodys(path: Path) -> None:
    ledger = opened(path)
    told = charge("0.05", USD, symbol="", is_of_coins=False)
    ledger.record_fees(FeeBooking(told, ()), AT)
    ledger.commit()

    assert ledger.sub_ledgers() == (SubLedger(bot=UNATTRIBUTED, cash=Decimal("-0.05")),)
    assert [of(fee) for fee in ledger.fees()] == [
        (UNATTRIBUTED, USD, Decimal("0.05"), Decimal("0.05"), FeeBasis.BOOKED)
    ]
    ledger.close()
    require_proven(path)


def test_the_room_for_fees_of_the_day_is_what_was_traded_less_what_was_charged(
    path: Path,
) -> None:
    told = charge("0.05", USD, symbol="", is_of_coins=False)
    ledger = opened(path)
    order = approved().order
    ledger.record_intent(approved(), AT)
    ledger.record_report(filled(order, "10", price=Decimal(100)), AT)
    bought(ledger, 2)
    room = ledger.fee_record(snapshot(told)).regulatory_room
    assert room == Decimal("0.1") + Decimal("0.01") + Decimal("0.01")

    ledger.record_fees(FeeBooking(told, ()), AT)
    ledger.commit()

    other = charge("0.05", USD, symbol="", is_of_coins=False, activity_id="a-2")
    assert ledger.fee_record(snapshot(other)).regulatory_room == room - Decimal("0.05")
    assert ledger.fee_record(snapshot(told)).regulatory_room == 0  # nobody asks
    ledger.close()


def test_what_nobody_accrued_cannot_be_observed_and_changes_nothing(path: Path) -> None:
    ledger = opened(path)
    order = ordered(ledger, 1)
    ledger.commit()

    with pytest.raises(LedgerFailed, match="NoSuchFee"):
        ledger.record_fees(seen(order, "0.1"), AT)

    ledger.abandon()


def test_a_ledger_of_before_there_were_fees_takes_them_i67(tmp_path: Path) -> None:
    path = ledger_of_version_1(tmp_path / "state" / "ledger.db")
    ledger = Ledger.open(path, venue="paper", at=AT)
    before = ledger.state_hash()
    assert ledger.fees() == ()

    order = bought(ledger, 90)
    ledger.record_fees(FeeBooking(charge("0.00003125"), (part(order, "0.00003125", "x-90"),)), AT)
    ledger.commit()
    assert ledger.state_hash() != before
    ledger.close()

    connection = connected_to_read(path)
    assert list(connection.execute("SELECT basis, amount, booked FROM fees")) == [
        ("booked", "0.000031250", "0.00003125")
    ]
    connection.close()
    require_proven(path)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE fees SET most = '1'",
        "UPDATE fees SET bot = 'other'",
        "DELETE FROM fees",
        "UPDATE fee_bookings SET amount = '1'",
        "DELETE FROM fee_bookings",
    ],
)
def test_what_is_on_record_of_fees_keeps_its_content(path: Path, statement: str) -> None:
    ledger = opened(path)
    order = bought(ledger)
    ledger.record_fees(FeeBooking(charge("0.00003125"), (part(order, "0.00003125"),)), AT)
    ledger.commit()
    ledger.close()
    connection = apsw.Connection(str(path))

    with pytest.raises(apsw.ConstraintError):
        connection.execute(statement)

    connection.close()
