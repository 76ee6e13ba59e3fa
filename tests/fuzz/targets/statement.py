"""The account's values and activities, as the equity bridge reads them: whole and exact, or not."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from msgspec.structs import replace

from hydra.trading.account_moves import RecordSide
from hydra.trading.account_reading import FILL, AccountStatement
from hydra.trading.amounts import is_amount
from hydra.trading.equity_bridge import equity_bridge
from hydra.trading.exact import total
from hydra.venues.alpaca.reads import ReadFailed
from hydra.venues.alpaca.statement import read_statement
from tests.fuzz.exactness import require_written
from tests.fuzz.scripts import Scripted, calls_of, script, spoilt_scripts
from tests.fuzz.target import Target, Verdict, require
from tests.venues.alpaca.samples import account_json, fill_json, position_json

NOW = 1_795_444_267_000_000_000
LATE = 1e9
CLOCK = {
    "timestamp": "2026-11-23T09:31:07.402118733-05:00",
    "is_open": True,
    "next_open": "2026-11-24T09:30:00-05:00",
    "next_close": "2026-11-23T16:00:00-05:00",
}
WORTH = account_json(last_equity="97950.1183520044", balance_asof="2026-11-20")
HELD = position_json(market_value="499.32", current_price="41.61", lastday_price="41.02")
COIN = {**HELD, "symbol": "BTCUSD", "asset_class": "crypto", "qty": "0.5"}
FEE = {
    "id": "20261123000000000::fee-1",
    "activity_type": "CFEE",
    "date": "2026-11-23",
    "net_amount": "0",
    "symbol": "BTCUSD",
    "qty": "-0.000012345",
    "price": "90000",
    "status": "executed",
}
DIVIDEND = {**FEE, "id": "20261123000000000::d", "activity_type": "DIV", "net_amount": "6.12"}
CONTRACT = {**FEE, "id": "2026::o", "activity_type": "OPTRD", "net_amount": "-4250", "qty": "100"}
ACTIVITIES = "GET /v2/account/activities"
SEEDS = tuple(
    script(
        ("GET /v2/clock", 200, CLOCK),
        ("GET /v2/account", 200, WORTH),
        ("GET /v2/account", 200, {**WORTH, **later}),
        ("GET /v2/positions", 200, [HELD, COIN]),
        (ACTIVITIES, 200, [fill_json()]),
        (ACTIVITIES, 200, listed),
        ("GET /v2/assets", 200, [{"id": "c", "class": "crypto", "symbol": "BTC/USD"}]),
    )
    for later, listed in (({}, [FEE, DIVIDEND]), ({"equity": "1.5"}, [CONTRACT]))
)
WORDS = (
    *(
        "FILL",
        "FEE",
        "DIV",
        "OPTRD",
        "OPASN",
        "SPLIT",
        "executed",
        "pending",
        "canceled",
        "correct",
    ),
    *("buy", "sell", "sell_short", "crypto", "BTC/USD", "created_at", "transaction_time"),
)


@contextmanager
def statement(_folder: Path) -> Iterator[Target]:
    """What the broker answers to whoever reads the account for a bridge."""

    def feed(data: bytes) -> Verdict:
        broker = Scripted(data)
        try:
            found = read_statement(calls_of(broker, NOW), NOW, deadline=LATE)
        except ReadFailed as failed:
            require("\n" not in str(failed), f"more than a line: {failed}")
            return Verdict.REFUSED
        require_sound(found, [answer.body for _, answer in broker.given])
        return Verdict.ACCEPTED

    spoil = spoilt_scripts(WORDS)
    yield Target(name="statement", feed=feed, seeds=SEEDS, spoil=spoil)


def require_sound(found: AccountStatement, bodies: list[bytes]) -> None:
    """Every amount was told, every activity is there once, and a bridge can be made of it."""
    reading, activities = found.reading, found.activities
    told = [reading.cash, *([] if reading.equity is None else [reading.equity])]
    for mark in reading.marks:
        told += [mark.quantity, mark.value, mark.price]
    for each in activities:
        told += [each.quantity] if each.kind == FILL else [each.quantity, each.cash]
    require(all(map(is_amount, told)), f"no amount: {told}")
    require_written(told, *bodies)
    require(len({each.id for each in activities}) == len(activities), "an activity is there twice")
    begin = replace(reading, cash=Decimal(0), equity=None, marks=(), counted=())
    bridge = equity_bridge(begin, reading, activities, RecordSide(), since="nothing")
    named = total(each.amount for each in bridge.differences)
    require(named == bridge.unexplained, f"{named} is named of {bridge.unexplained}")
