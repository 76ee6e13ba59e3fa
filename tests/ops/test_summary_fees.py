"""A session's result has the fees taken off, and says so."""

from decimal import Decimal

from msgspec import structs

from hydra.ops.summary import total_lines, trade_line
from messages.summary import FeePaid, SessionSummary, Trade

TRADE = Trade(
    bot="coins",
    symbol="BTC/USD",
    side="buy",
    quantity=Decimal("0.5"),
    entry_price=Decimal(100),
    exit_price=Decimal(104),
    opened_at=0,
    closed_at=1,
    entry_reason="a",
    exit_reason="b",
    realised=Decimal(2),
)


def summary(*fees: FeePaid) -> SessionSummary:
    return SessionSummary(trades=(TRADE,), held=(), bars=3, orders=2, denials=(), fees=fees)


def fee(bot: str, usd: str) -> FeePaid:
    return FeePaid(bot=bot, symbol="BTC/USD", asset="USD", amount=Decimal(usd), usd=Decimal(usd))


def test_fees_are_taken_off_what_each_bot_and_all_have_made() -> None:
    assert list(total_lines(summary(fee("coins", "0.125"), fee("other", "0.50")))) == [
        "coins              1 trades, 1 won, realised +1.88 USD after fees of 0.12 USD",
        "other              0 trades, 0 won, realised -0.50 USD after fees of 0.50 USD",
        "3 bars, 2 orders, 1 trades, realised +1.38 USD after fees of 0.62 USD",
    ]


def test_without_fees_nothing_is_said_of_them() -> None:
    assert list(total_lines(summary())) == [
        "coins              1 trades, 1 won, realised +2.00 USD",
        "3 bars, 2 orders, 1 trades, realised +2.00 USD",
    ]


def test_a_trade_whose_entry_nobody_wished_for_has_the_reason_of_its_exit_alone() -> None:
    """An operator assigned what was held."""
    assert trade_line(TRADE).endswith("+2.00  a -> b")
    assert trade_line(structs.replace(TRADE, entry_reason="")).endswith("+2.00  b")


def test_a_price_of_less_than_a_cent_is_shown_by_its_digits() -> None:
    cheap = structs.replace(TRADE, entry_price=Decimal("0.000012346"), exit_price=Decimal("0.01"))

    assert " 0.00001235 " in trade_line(cheap)
    assert " 0.01 " in trade_line(cheap)
