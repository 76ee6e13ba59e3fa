"""What a signal leads to: never more than it asks for, nor than the day allows."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.durations import MINUTE
from hydra.trading.exit_rules import ExitRules
from hydra.trading.signal_wishes import Moment, Refuse, Wish, verdict_on
from hydra.trading.symbol_book import SymbolBook
from hydra.trading.trade_signals import DayCount, SignalAction, SignalLimits, TradeSignal

PRICES = st.decimals(1, 500, places=2)


@given(
    price=PRICES,
    limit=st.none() | PRICES,
    stop=st.none() | PRICES,
    quantity=st.integers(1, 100),
    notional=st.decimals(1, 10_000, places=2),
    by_notional=st.booleans(),
    spent=st.decimals(0, 5000, places=2),
)
def test_whatever_a_buy_asks_for_it_gets_no_more_than_the_day_allows_and_a_stop_below_the_price(
    price: Decimal,
    limit: Decimal | None,
    stop: Decimal | None,
    quantity: int,
    notional: Decimal,
    by_notional: bool,
    spent: Decimal,
) -> None:
    book = SymbolBook("signal_bot", "AAPL", Decimal(1))
    book.begin_session("2026-01-05")
    wish = TradeSignal(
        id="x",
        symbol="AAPL",
        action=SignalAction.BUY,
        at=0,
        quantity=None if by_notional else Decimal(quantity),
        notional_usd=notional if by_notional else None,
        limit_price=limit,
        stop_price=stop,
    )
    limits = SignalLimits(
        symbols=frozenset({"AAPL"}),
        orders_per_day_max=10,
        notional_per_day_usd_max=Decimal(5000),
        age_ns_max=MINUTE,
    )
    count = DayCount(session="2026-01-05", orders=1, notional_usd=spent)
    moment = Moment(price=price, market_open=True, window_open=True, count=count)

    verdict = verdict_on(wish, book, moment, limits, ExitRules(Decimal(1), Decimal(1), MINUTE))

    if isinstance(verdict, Wish):
        paid = verdict.quantity * max(price, limit or price)
        assert verdict.quantity >= 1 and verdict.quantity % 1 == 0
        assert verdict.stop_price is not None and 0 < verdict.stop_price < price
        assert paid == verdict.notional_usd and spent + paid <= 5000
        assert not by_notional or paid <= notional
    else:
        assert isinstance(verdict, Refuse)
