"""Which trades of two sides are one, which differ, and which stand alone."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.research.alignment import Alignment, OneTrade, Side, Tolerance, aligned
from hydra.trading.durations import HOUR, MINUTE

AT = 1_767_623_400_000_000_000
"""2026-01-05T14:30:00Z."""
TOLERANCE = Tolerance(time=2 * MINUTE, price_bps=Decimal(25))


def row(
    opened: int,
    closed: int,
    *,
    bot: str = "mom",
    symbol: str = "AAPL",
    quantity: str = "9",
    entry: str = "100",
    exit_: str = "101",
    order: str = "",
) -> dict[str, str]:
    """A trade, by the minutes of its opening and closing."""
    name = order or f"{bot}{opened}{closed}"
    return {
        "bot": bot,
        "symbol": symbol,
        "side": "buy",
        "quantity": quantity,
        "entry_price": entry,
        "exit_price": exit_,
        "opened_at_ns": str(AT + opened * MINUTE),
        "closed_at_ns": str(AT + closed * MINUTE),
        "realised": "9",
        "entry_reason": "cross",
        "exit_reason": "time_stop",
        "entry_order": f"{name}-e",
        "exit_order": f"{name}-x",
    }


def decided(minute: int, *, status: str = "filled", reason: str = "") -> dict[str, str]:
    """An entry of the bot mom."""
    return {
        "decided_at": "2026-01-05T14:40:00.000000000Z",
        "decided_at_ns": str(AT + minute * MINUTE),
        "client_order_id": "",
        "bot": "mom",
        "symbol": "AAPL",
        "session": "2026-01-05",
        "signal": "1",
        "role": "entry",
        "side": "buy",
        "quantity": "9",
        "status": status,
        "status_reason": reason,
    }


def held_against(
    live: list[dict[str, str]],
    replayed: list[dict[str, str]],
    *,
    live_orders: tuple[dict[str, str], ...] = (),
    end: int = 4 * HOUR,
) -> Alignment:
    return aligned(Side(live, live_orders), Side(replayed, ()), TOLERANCE, AT, AT + end)


def test_the_same_trades_are_pairs_without_a_difference() -> None:
    rows = [row(10, 20), row(30, 40), row(10, 20, bot="dip")]

    found = held_against(rows, rows[::-1])

    assert [pair.live for pair in found.pairs] == [pair.replayed for pair in found.pairs]
    assert (found.live_trades, found.differing, found.residuals) == (3, (), 0)


def test_a_bar_later_and_a_little_dearer_is_the_same_trade() -> None:
    found = held_against([row(11, 22, entry="100.20")], [row(10, 20, entry="100")])

    assert len(found.pairs) == 1
    assert (found.differing, found.residuals) == ((), 0)


def test_beyond_the_tolerance_of_time_each_stands_alone() -> None:
    found = held_against([row(10, 23)], [row(10, 20)])

    assert found.pairs == ()
    assert len(found.live_only) == len(found.replayed_only) == 1


def test_another_quantity_or_price_is_a_difference_that_is_told() -> None:
    found = held_against([row(10, 20, quantity="8", entry="100.30")], [row(10, 20)])

    (pair,) = found.differing
    assert pair.differs == (
        "quantity 8 live, 9 in the replay",
        "entry price 100.3 live, 100 in the replay: 30.0 bps apart, at most 25 allowed",
    )


@pytest.mark.parametrize(
    ("symbol", "live", "differs"),
    [
        ("BTC/USD", "0.001203622", ()),  # 50 USD at a price that is 20 bps lower
        ("BTC/USD", "0.001198815", ()),
        ("BTC/USD", "0.001204301", ("quantity 0.001204301 live, 0.001201218 in the replay",)),
        ("AAPL", "999", ("quantity 999 live, 1000 in the replay",)),
    ],
)
def test_how_much_of_a_coin_an_amount_of_money_buys_may_be_as_far_apart_as_its_price(
    symbol: str, live: str, differs: tuple[str, ...]
) -> None:
    replayed = "0.001201218" if symbol == "BTC/USD" else "1000"

    found = held_against(
        [row(10, 20, symbol=symbol, quantity=live)],
        [row(10, 20, symbol=symbol, quantity=replayed)],
    )

    (pair,) = found.pairs
    assert pair.differs == differs


def test_a_trade_that_went_in_parts_is_one_trade_at_its_average_price() -> None:
    parts = [
        row(10, 20, quantity="3", exit_="101", order="o"),
        row(11, 21, quantity="6", exit_="104", order="o"),
    ]

    found = held_against(parts, [row(10, 20, exit_="103")])

    assert found.pairs[0].live == OneTrade(
        bot="mom",
        symbol="AAPL",
        side="buy",
        quantity=Decimal(9),
        entry_price=Decimal(100),
        exit_price=Decimal(103),
        opened_at=AT + 10 * MINUTE,
        closed_at=AT + 21 * MINUTE,
        realised=Decimal(18),
        entry_reason="cross",
        exit_reason="time_stop",
        decision="",
    )
    assert found.residuals == 0


def test_a_residual_shows_what_the_other_side_decided_meanwhile() -> None:
    orders = (
        decided(10, status="denied", reason="quote_is_fresh: 20 s"),
        decided(100),
    )

    found = held_against([], [row(10, 20)], live_orders=orders)

    assert found.replayed_only[0].other_side == (
        "2026-01-05T14:40 entry buy 9: denied (quote_is_fresh: 20 s)",
    )


def test_what_was_closed_outside_of_the_window_is_not_counted_but_pairs_still() -> None:
    live = [row(-30, -10), row(10, 239), row(250, 300)]
    replayed = [row(10, 241), row(250, 300)]

    found = held_against(live, replayed)

    assert [pair.live.closed_at for pair in found.pairs] == [AT + 239 * MINUTE]
    assert (found.live_trades, found.residuals) == (1, 0)


def test_rows_that_are_none_of_ours_are_an_error() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        held_against([row(1, 2) | {"opened_at_ns": "soon"}], [])


def test_a_trade_leaves_its_nearest_to_one_that_has_no_other() -> None:
    found = held_against([row(10, 20), row(11, 18)], [row(10, 18), row(11, 22)])

    assert (len(found.pairs), found.residuals) == (2, 0)


minutes = st.integers(0, 30)
rows_ = st.lists(
    st.builds(
        lambda opened, length, bot: row(opened, opened + length, bot=bot),
        minutes,
        st.integers(1, 9),
        st.sampled_from(["mom", "dip"]),
    ),
    max_size=8,
    unique_by=lambda each: each["entry_order"],
)


@given(rows_, rows_)
def test_every_trade_is_told_once_and_the_sides_mirror_one_another(
    live: list[dict[str, str]], replayed: list[dict[str, str]]
) -> None:
    found = held_against(live, replayed)
    mirrored = held_against(replayed, live)

    assert len(found.pairs) + len(found.live_only) == len(live)
    assert len(found.pairs) + len(found.replayed_only) == len(replayed)
    for pair in found.pairs:
        assert pair.live.bot == pair.replayed.bot
        assert abs(pair.live.opened_at - pair.replayed.opened_at) <= TOLERANCE.time
        assert abs(pair.live.closed_at - pair.replayed.closed_at) <= TOLERANCE.time
    assert found.residuals == mirrored.residuals


@given(rows_)
def test_a_side_held_against_itself_leaves_nothing(rows: list[dict[str, str]]) -> None:
    found = held_against(rows, rows)

    assert (found.residuals, found.differing) == (0, ())
