"""Fees as the broker's activities have them, in the engine's own terms."""

from typing import Any

import msgspec
import pytest

from hydra.trading.fees import USD
from hydra.trading.venue_view import VenueFee
from hydra.venues.alpaca import wire
from hydra.venues.alpaca.bad_answer import BadAnswer
from hydra.venues.alpaca.coin_names import CoinNames
from hydra.venues.alpaca.payloads import AssetPayload, FeePayload, read_fees
from hydra.venues.alpaca.reads import ReadFailed
from hydra.venues.alpaca.times import nanoseconds
from tests.venues.alpaca.test_snapshot import Books, snapshot_of
from tests.venues.alpaca.vectors import payload

BTC = AssetPayload(id="btc-id", symbol="BTC/USD", asset_class="crypto")
MONDAY = nanoseconds("2026-11-23T00:00:00Z")


def cfee(**changes: Any) -> FeePayload:
    """What was recorded: 25 bps of an eightieth of a coin."""
    row = {
        "id": "20261123000000000::72d20ae3",
        "activity_type": "CFEE",
        "date": "2026-11-23",
        "net_amount": "0",
        "symbol": "BTCUSD",
        "qty": "-0.00003125",
        "status": "executed",
        **changes,
    }
    return msgspec.convert(row, FeePayload, strict=False)


def fees(row: FeePayload) -> list[VenueFee]:
    return list(wire.fees(row, {"BTCUSD": "BTC/USD"}.__getitem__))


def fee(**changes: Any) -> VenueFee:
    fields = {
        "activity_id": "20261123000000000::72d20ae3",
        "asset": "BTC/USD",
        "symbol": "BTC/USD",
        "amount": "0.00003125",
        "at": MONDAY,
        "is_of_coins": True,
        **changes,
    }
    return msgspec.convert(fields, VenueFee, strict=False)


def test_a_recorded_fee_is_paid_in_the_coin() -> None:
    rows = read_fees(msgspec.json.encode(payload("activities_nontrade")["response"]["body"]))

    (found,) = [each for row in rows if row.activity_type == "CFEE" for each in fees(row)]

    assert (found.asset, found.amount, found.at) == ("BTC/USD", fee().amount, MONDAY)


def test_a_sellers_fee_is_paid_in_usd() -> None:
    sold = cfee(qty=None, net_amount="-1.914034375")

    assert fees(sold) == [fee(asset=USD, amount="1.914034375")]


def test_one_that_is_paid_in_both_counts_in_both() -> None:
    assert fees(cfee(net_amount="-0.01")) == [fee(), fee(asset=USD, amount="0.01")]


def test_a_fee_of_the_day_is_usd_whatever_else_it_says() -> None:
    day = cfee(activity_type="FEE", symbol="AAPL", qty="-3", net_amount="-0.02")

    assert fees(day) == [fee(asset=USD, symbol="AAPL", amount="0.02", is_of_coins=False)]


def test_when_it_was_booked_is_told_to_the_day_or_better() -> None:
    (exact,) = fees(cfee(created_at="2026-11-24T06:01:04.650275Z"))

    assert exact.at == nanoseconds("2026-11-24T06:01:04.650275Z")


@pytest.mark.parametrize(
    "row",
    [
        cfee(status="canceled"),
        cfee(status="correct"),
        cfee(status="pending"),
        cfee(qty="0.00003125"),
        cfee(qty="0"),
        cfee(qty=None, net_amount="0.05"),
    ],
)
def test_what_is_not_done_or_gives_back_charges_nothing(row: FeePayload) -> None:
    assert fees(row) == []


@pytest.mark.parametrize(
    "changes", [{"qty": "NaN"}, {"net_amount": "1e99"}, {"date": None}, {"date": "yesterday"}]
)
def test_what_cannot_be_read_is_no_answer(changes: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        fees(cfee(**changes))


def test_a_snapshot_has_the_fees_by_the_names_of_orders_and_asks_for_names_once() -> None:
    books = Books()
    books.coin_list.append(BTC)
    books.charges += [cfee(id=f"a-{number}") for number in range(150)]
    books.charges.append(cfee(id="strange", symbol="DOGEUSD"))
    books.charges.append(cfee(id="strange-2", symbol="DOGEUSD"))

    snapshot = snapshot_of(books)

    named = {each.activity_id: each.asset for each in snapshot.fees}
    assert len(named) == 152
    assert {named[f"a-{number}"] for number in range(150)} == {"BTC/USD"}
    assert (named["strange"], named["strange-2"]) == ("DOGEUSD", "DOGEUSD")
    assert books.asked.count("coins") == 2


def test_a_page_of_fees_that_comes_twice_is_a_failure_i62() -> None:
    books = Books()
    books.charges += [cfee(id="a-1"), cfee(id="a-1")]

    with pytest.raises(ReadFailed, match="on two pages"):
        snapshot_of(books)


def test_a_pair_that_is_spelled_out_is_asked_of_nobody() -> None:
    books = Books()

    assert CoinNames().pair_of("BTC/USD", books) == "BTC/USD"
    assert books.asked == []
