"""What the sections of most bots have in common, in the engine's own terms."""

from hydra.actor import MINUTE
from hydra.settings.bot_parts import Exits, MomentumExits, TradingWindow
from hydra.trading.exit_rules import ExitRules
from hydra.trading.sessions import Window


def windows_of(session: TradingWindow, timezone: str) -> tuple[Window, Window]:
    """When the bot may enter, and until when it looks after what it holds."""
    start, end, until = (
        f"{time:%H:%M}" for time in (session.trade_start, session.trade_end, session.manage_until)
    )
    return Window.parse(start, end, timezone), Window.parse(start, until, timezone)


def exit_rules_of(exits: Exits) -> ExitRules:
    """When a position is closed."""
    return ExitRules(
        stop_loss_pct=exits.stop_loss_pct,
        take_profit_pct=exits.take_profit_pct,
        time_stop_ns=exits.time_stop_minutes * MINUTE,
        trailing_stop_pct=exits.trailing_stop_pct if isinstance(exits, MomentumExits) else None,
    )
