"""Small replays, made by hand."""

from collections.abc import Iterable
from decimal import Decimal

from msgspec import structs

from hydra.research.facts import ReplayFacts
from hydra.research.replaying import BotFill
from hydra.research.window import ReplayWindow
from hydra.trading.bars import Bar
from hydra.trading.durations import DAY, MINUTE
from hydra.trading.fees import Fee
from hydra.trading.orders import Fill, Side

OPEN = 1_767_623_400_000_000_000
"""2026-01-05T14:30:00Z, a Monday: New York's exchange opens."""


def bar(close: float, minute: int = 0, *, symbol: str = "AAPL", day: int = 0) -> Bar:
    """The bar that begins so many minutes after the open, so many days later."""
    start = OPEN + day * DAY + minute * MINUTE
    return Bar(symbol, start, start + MINUTE, close, close, close, close, 1_000.0)


def fill(
    side: str,
    quantity: str,
    price: str,
    at: int,
    *,
    bot: str = "mom",
    symbol: str = "AAPL",
    fee: Fee | None = None,
    order: str = "",
) -> BotFill:
    """One execution; its names follow from all that it is."""
    name = f"{bot} {symbol} {side} {quantity} {price} {at}"
    execution = Fill(
        execution_id=f"x {name} {order}",
        client_order_id=order or f"o {name}",
        symbol=symbol,
        side=Side(side),
        quantity=Decimal(quantity),
        price=Decimal(price),
        at=at,
    )
    return BotFill(bot=bot, fill=execution, fee=fee)


def fee_of(of: BotFill, amount: str, asset: str = "USD") -> BotFill:
    """The same execution with a fee."""
    fee = Fee(
        client_order_id=of.fill.client_order_id,
        execution_id=of.fill.execution_id,
        bot=of.bot,
        symbol=of.fill.symbol,
        asset=asset,
        amount=Decimal(amount),
        most=Decimal(amount),
        at=of.fill.at,
    )
    return structs.replace(of, fee=fee)


def facts(bars: Iterable[Bar] = (), fills: Iterable[BotFill] = (), **others: object) -> ReplayFacts:
    """A replay of these; what is not given is the same each time."""
    replay = ReplayFacts(
        bars=tuple(bars),
        fills=tuple(fills),
        starting_cash=Decimal(10_000),
        window=ReplayWindow(start=OPEN, end=OPEN + DAY, timezone_label="America/New_York"),
        configuration="c0ffee" * 5,
        data={"AAPL_1m.csv.gz": "da7a" * 8},
        origin="bars made by hand",
        version="0.1.0",
        seed=7,
        label="smoke",
        orders=4,
        denials=(("quote_is_fresh", 3), ("no_order_opposes", 30)),
        terms=(("slippage_bps", "2"),),
    )
    return structs.replace(replay, **others)


def two_trades(**others: object) -> ReplayFacts:
    """One day, five bars: mom wins 30 USD, dip loses 20 USD, idle has nothing."""
    closes = (100.0, 101.0, 103.0, 102.0, 100.0)
    bars = [bar(close, minute) for minute, close in enumerate(closes)]
    minutes = [each.start_at for each in bars]
    fills = (
        fill("buy", "10", "100", minutes[1], order="hy1-m-e"),
        fill("buy", "10", "102", minutes[2], bot="dip", order="hy1-d-e"),
        fill("sell", "10", "103", minutes[3], order="hy1-m-x"),
        fill("sell", "10", "100", minutes[4], bot="dip", order="hy1-d-x"),
    )
    return facts(bars, fills, **{"bots": ("dip", "idle", "mom"), **others})


def two_weeks(**others: object) -> ReplayFacts:
    """Ten days of twenty bars, of a share and a coin; two bots trade up and down, often."""
    bars, fills = [], []
    for day in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11):
        for minute in range(20):
            swing = (minute * 7 + day * 5) % 11
            bars.append(bar(100.0 + swing + day / 4, minute, day=day))
            bars.append(bar(4_000.0 - 9 * swing, minute, day=day, symbol="ETH/USD"))
            at = bars[-1].start_at
            if minute % 4 == 1:
                side = "buy" if minute % 8 == 1 else "sell"
                price = repr(bars[-2].open)
                fills.append(fill(side, "10", price, at, bot="mom", order=f"m{day}-{minute}"))
            if minute % 6 == 2:
                side = "sell" if minute % 12 == 2 else "buy"
                made = fill(side, "0.25", repr(bars[-1].open), at, bot="dip", symbol="ETH/USD")
                fills.append(fee_of(made, "1.25"))
    return facts(bars, fills, **{"bots": ("dip", "idle", "mom"), **others})
