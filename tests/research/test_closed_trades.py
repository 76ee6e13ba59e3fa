from decimal import Decimal

from msgspec import structs

from hydra.research.closed_trades import traded, trades_csv
from tests.research.replays import OPEN, fill, two_trades


def test_trades_are_first_in_first_out_and_have_the_bundles_columns() -> None:
    fills = (
        fill("buy", "2", "100", OPEN, order="a"),
        fill("buy", "1", "110", OPEN + 1, order="b"),
        fill("sell", "3", "120.5", OPEN + 2, order="c"),
    )

    assert trades_csv(traded(fills).trades).decode() == (
        "bot,symbol,side,quantity,entry_price,exit_price,opened_at,opened_at_ns,closed_at,"
        "closed_at_ns,realised,entry_reason,exit_reason,entry_order,exit_order\r\n"
        "mom,AAPL,buy,2,100,120.5,2026-01-05T14:30:00.000000000Z,1767623400000000000,"
        "2026-01-05T14:30:00.000000002Z,1767623400000000002,41.0,,,a,c\r\n"
        "mom,AAPL,buy,1,110,120.5,2026-01-05T14:30:00.000000001Z,1767623400000000001,"
        "2026-01-05T14:30:00.000000002Z,1767623400000000002,10.5,,,b,c\r\n"
    )


def test_what_the_engine_told_gives_the_reasons_and_nothing_else() -> None:
    fills = two_trades().fills
    of_fills = traded(fills).trades
    told = [
        structs.replace(each.trade, entry_reason="fast above slow", exit_reason="target")
        for each in reversed(of_fills)
    ]
    untrue = structs.replace(told[0], realised=told[0].realised + 1, entry_reason="another")

    trades = traded(fills, [untrue, *told]).trades

    assert [each.trade for each in trades] == told[::-1]
    assert [(each.entry_order, each.exit_order) for each in trades] == [
        ("hy1-m-e", "hy1-m-x"),
        ("hy1-d-e", "hy1-d-x"),
    ]


def test_what_is_not_closed_is_held_and_no_trade() -> None:
    result = traded((fill("sell", "5", "10", OPEN), fill("buy", "2", "9", OPEN + 1)))

    ((bot, symbol, lot),) = result.held
    assert (bot, symbol, lot.side.value, lot.quantity) == ("mom", "AAPL", "sell", Decimal(3))
    assert [each.trade.realised for each in result.trades] == [Decimal(2)]
