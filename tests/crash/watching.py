"""What tests of a running engine wait for, ask it, and look up afterwards."""

from collections.abc import Callable

from hydra.ops.debug.client import EngineClient
from tests.crash.trading import RISING, Bot, Trader

MANY = (
    *(Bot(f"rising_{number}", "AAPL", RISING) for number in range(23)),
    Bot("other", "MSFT", RISING),
)
ROOM_FOR_MANY = {
    "max_orders_per_minute: 10 ": "max_orders_per_minute: 100 ",
    "max_entries_per_minute_per_symbol: 6 ": "max_entries_per_minute_per_symbol: 100 ",
    "momentum_bucket_pct_of_daily_risk: 25": "momentum_bucket_pct_of_daily_risk: 98",
    "options_bucket_pct_of_daily_risk: 50": "options_bucket_pct_of_daily_risk: 1",
    "crypto_bucket_pct_of_daily_risk: 25": "crypto_bucket_pct_of_daily_risk: 1",
    "per_bot_min_pct_of_daily_risk: 5": "per_bot_min_pct_of_daily_risk: 1",
}


def has_said(trader: Trader, words: str, times: int = 1) -> bool:
    return trader.said(words) >= times


def in_its_first_moments(trader: Trader) -> bool:
    return trader.files.lock.exists()


def at_preflight(trader: Trader) -> bool:
    return has_said(trader, "session_started")


def idle(trader: Trader) -> bool:
    return has_said(trader, "preflight_passed")


def with_orders_on_their_way(trader: Trader) -> bool:
    return has_said(trader, "intent_stored")


def holding(trader: Trader) -> bool:
    return has_said(trader, "OrderFilled")


PHASES: tuple[Callable[[Trader], bool], ...] = (
    in_its_first_moments,
    at_preflight,
    idle,
    with_orders_on_their_way,
    holding,
)


def asked_to_halt(trader: Trader) -> dict[str, object]:
    """By the control socket, as `hydra-trader halt` does it."""
    with EngineClient(trader.files.control_socket, 10.0) as control:
        return control.call("halt", reason="a drill")


def tell_gateway(trader: Trader, command: str) -> None:
    """By the debug socket, as `hydra-trader debug` does it."""
    with EngineClient(trader.files.debug_socket) as debug:
        debug.call(command, path="/hydra/core/broker_gateway", reason="a drill")


def sent_after(trader: Trader, moment: float) -> list[str]:
    """The orders that came to the venue later than that, by the machine's clock."""
    return [sent.name for sent in trader.life.sent if sent.wall_ns > moment * 1e9]
