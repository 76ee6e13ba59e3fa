"""What the writer of a plug-in tests with besides the kit: plans, answers, what is promised."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from hydra.actor import MINUTE, SECOND
from hydra.plugins import BotPlan
from hydra.trading.bars import Bar
from hydra.trading.sessions import ExchangeSession, SessionTable, Window
from hydra.trading.strategies.strategy import StrategyFactory
from messages.message import Message
from messages.positions import BookRecovered, RecoverBook

MARKET_OPENS_AT = 1_767_623_400 * SECOND
"""2026-01-05 14:30 UTC, the opening bell in New York. The session lasts six hours and a half."""
MARKET = SessionTable(
    (ExchangeSession("2026-01-05", MARKET_OPENS_AT, MARKET_OPENS_AT + 390 * MINUTE, False),)
)


def bot_plan(
    *,
    bot_id: str = "bot",
    symbols: tuple[str, ...] = ("AAPL",),
    parameters: msgspec.Struct,
    order_notional_usd: str = "1000",
    trade_window: tuple[str, str] = ("09:35", "15:30"),
    manage_window: tuple[str, str] = ("09:35", "15:50"),
    sessions: SessionTable = MARKET,
) -> BotPlan:
    """What the engine would give the bot; windows are in New York."""
    zone = "America/New_York"
    return BotPlan(
        bot_id=bot_id,
        symbols=symbols,
        trade_window=Window.parse(*trade_window, zone),
        manage_window=Window.parse(*manage_window, zone),
        sessions=sessions,
        order_notional_usd=Decimal(order_notional_usd),
        parameters=parameters,
    )


def empty_book(message: Message) -> Message | None:
    """For a probe in the guardian's place (`reply_with`): nothing is on record of the bot."""
    if not isinstance(message, RecoverBook):
        return None
    return BookRecovered(orders=(), fills=(), asked_by=message.asked_by, number=message.number)


def assert_keeps_its_promises(
    factory: StrategyFactory,
    parameters: Mapping[str, object],
    bars: Sequence[Bar],
    session: ExchangeSession | None = None,
) -> None:
    """Play the bars and see that the strategy does what every one promises.

    The same bars give the same signals, and a fresh strategy that has seen the last `warm_up` bars
    goes on as one that has seen all: that is all it is shown when a bot starts. Raises
    AssertionError with the bar at which it does not; also if it never signals, since nothing was
    seen then.
    """
    signals = _signals_of(factory, parameters, bars, session)
    if not any(signal is not None for signal in signals):
        raise AssertionError("it gives no signal on these bars, so they show nothing; use others")
    if _signals_of(factory, parameters, bars, session) != signals:
        raise AssertionError("the same bars gave other signals the second time")
    warm_up = factory(parameters).warm_up
    for start in range(warm_up, len(bars)):
        fresh = _signals_of(factory, parameters, bars[start - warm_up :], session)
        if fresh[warm_up:] != signals[start:]:
            raise AssertionError(
                f"shown only the {warm_up} bars before bar {start}, it goes on in another way: "
                "warm_up is too short"
            )


def _signals_of(
    factory: StrategyFactory,
    parameters: Mapping[str, object],
    bars: Sequence[Bar],
    session: ExchangeSession | None,
) -> list[object]:
    strategy = factory(parameters)
    return [strategy.on_bar(bar, session) for bar in bars]
