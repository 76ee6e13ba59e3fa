"""What moved each bot's money, from the events: it comes to what the tables say, or is refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import apsw
import pytest
from msgspec.structs import replace

from hydra.store.checking import LedgerDamaged
from hydra.store.money_moves import record_side
from hydra.trading.account_moves import BookedMove, MoveKind, Opening, RecordSide
from hydra.trading.fees import USD, FeeBooking
from tests.store.orders import AT, filled
from tests.store.test_fees import BOUGHT, BTC, KEPT, PRICE, bought, charge, opened, part, seen

D = Decimal


def read(path: Path) -> RecordSide:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return record_side(connection)
    finally:
        connection.close()


def test_moves_are_told_as_they_came_with_whose_they_are(tmp_path: Path) -> None:
    path = tmp_path / "state" / "ledger.db"
    ledger = opened(path)
    ledger.open_account(D(1000), AT)
    order = bought(ledger)
    accepted = filled(order, BOUGHT, "x-1", price=PRICE)
    ledger.record_report(accepted, AT)  # heard again, and not counted again
    ledger.record_fees(seen(order, "0.00001875"), AT)
    ledger.record_fees(FeeBooking(charge("0.00001"), (part(order, "0.00001"),)), AT)
    by = {"reason": "a test", "operator": "somebody"}
    ledger.assign_position("other", BTC, D("-0.5"), price=D(60_000), **by, at=AT + 1)
    ledger.commit()
    ledger.close()

    found = read(path)

    bot = found.moves[0].bot
    execution = BookedMove(
        kind=MoveKind.EXECUTION,
        bot=bot,
        symbol=BTC,
        at=AT,
        order=order.client_order_id,
        execution_id="x-1",
        quantity=BOUGHT,
        cash=-BOUGHT * PRICE,
        price=PRICE,
    )
    fee = replace(execution, kind=MoveKind.FEE, cash=D(0), price=None)
    back = D("0.0000125")
    assert found.moves == (
        execution,
        replace(fee, quantity=-KEPT, realised=-KEPT * PRICE),
        replace(fee, quantity=back, realised=back * PRICE),
        BookedMove(
            kind=MoveKind.ASSIGNED,
            bot="other",
            symbol=BTC,
            at=AT + 1,
            execution_id=found.moves[3].execution_id,
            quantity=D("-0.5"),
            cash=D(30_000),
            price=D(60_000),
        ),
    )
    assert found.opening == Opening(D(1000), AT)
    assert (set(found.booked), found.unseen) == ({"a-1"}, 0)
    assert found.unbooked == {(BTC, BTC): D("0.00000875")}


def test_coins_that_a_fee_left_over_are_nobodys(tmp_path: Path) -> None:
    path = tmp_path / "state" / "ledger.db"
    ledger = opened(path)
    order = bought(ledger)
    ledger.record_fees(seen(order, "0.00001875", dust="0.0000125"), AT)
    ledger.commit()
    ledger.close()

    assert [(each.kind, each.quantity) for each in read(path).moves[2:]] == [
        (MoveKind.DUST, D("0.0000125"))
    ]


def test_a_fee_of_the_account_is_no_bots_move(tmp_path: Path) -> None:
    path = tmp_path / "state" / "ledger.db"
    ledger = opened(path)
    ledger.record_fees(FeeBooking(charge("0.02", USD, symbol="", is_of_coins=False), ()), AT)
    ledger.commit()
    ledger.close()

    assert read(path).moves == ()
    assert set(read(path).booked) == {"a-1"}


@pytest.mark.parametrize(
    "change",
    ["UPDATE sub_ledgers SET realised = '1'", "UPDATE inventories SET lots = x'5b5d'"],
)
def test_tables_that_do_not_follow_from_the_events_are_refused(tmp_path: Path, change: str) -> None:
    path = tmp_path / "state" / "ledger.db"
    ledger = opened(path)
    bought(ledger)
    ledger.close()
    connection = apsw.Connection(str(path))
    connection.execute(change)
    connection.close()

    with pytest.raises(LedgerDamaged, match="do not come to what its tables say"):
        read(path)
