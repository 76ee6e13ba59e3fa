"""A bridge for people: to the cent, and what is left in all its digits."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from hydra.ops.equity.page import page_of
from hydra.trading.equity_bridge import Difference, EquityBridge, Line, Section

D = Decimal
BRIDGE = EquityBridge(
    since="a test",
    began_at=1_795_444_200_000_000_000,
    ended_at=1_795_447_800_000_000_000,
    began=D("1000"),
    ended=D("1012.339"),
    lines=(
        Line(Section.REALISED, "mom", D("-0.001")),
        Line(Section.ACTIVITIES, "CSD", D("12.34")),
    ),
    unexplained=D(0),
)


def test_amounts_are_in_cents_and_nothing_is_minus_nothing() -> None:
    assert list(page_of(BRIDGE)) == [
        "equity bridge, USD, since a test",
        "  equity at 2026-11-23 14:30 UTC  1,000.00",
        "  realised by mom, before fees       +0.00",
        "  CSD                               +12.34",
        "  equity at 2026-11-23 15:30 UTC  1,012.34",
        "  unexplained                         0.00",
    ]


def test_what_differs_and_is_worth_nothing_is_said_loudly_too() -> None:
    odd = replace(BRIDGE, differences=(Difference("odd", D(0)),), hints=("a mix-up",))

    assert list(page_of(odd))[-3:] == [
        "DIFFERENCE, 0.00 USD: odd",
        "NOT ZERO: what differs is worth nothing now",
        "it could be: a mix-up",
    ]
