"""What the guardian shows of itself: plain values, for whoever looks on."""

from collections.abc import Mapping
from decimal import Decimal

from actors.guardian_halts import Halts
from hydra.trading.instruments import is_crypto
from hydra.trading.risk_desk import RiskDesk
from messages.positions import PositionsReported
from messages.protection import CoverageReported


def halts_view(halts: Halts) -> Mapping[str, object]:
    """What stands against trading, and what would."""
    return {
        "trading_state": halts.state.name,
        "causes": {cause.code: cause.detail for cause in halts.causes},
        "durable": list(halts.on_record),
        "noted_resume": list(halts.noted),
        "epoch": halts.epoch,
        "alarms": {cause.code: cause.detail for cause in halts.alarms},
    }


def desk_view(desk: RiskDesk) -> Mapping[str, object]:
    """Who holds what, what works, what the account is worth, what is left to lose."""
    book, day = desk.book, desk.day
    return {
        "positions": {
            f"{bot} {symbol}": f"{held:f}" for (bot, symbol), held in book.positions.items()
        },
        "dust": {f"{bot} {symbol}": f"{left:f}" for (bot, symbol), left in desk.dust.items()},
        "orders_today": desk.orders_today,
        "open_orders": [order.order.client_order_id for order in book.open_orders],
        "unknown_orders": [
            order.order.client_order_id for order in book.open_orders if order.is_unknown
        ],
        "equity": _text(day.equity),
        "trading_day": day.session,
        "day_start": _text(day.day_start),
        "peak": _text(day.peak),
        "drawdown_state": day.state.value,
        "risk_mode": desk.risk_mode.value,
        "exposure": _text(book.gross_exposure),
        "heat": _text(book.heat),
        "budgets": {bot: f"{amount:f}" for bot, amount in desk.granted.grants.items()},
        "budgets_granted": desk.is_granted,
        "budgets_wanted": desk.wants_grants,
    }


def positions_of(desk: RiskDesk, excluded_orders: frozenset[str]) -> PositionsReported:
    """Who holds what and what is on its way, as it answers those who ask."""
    book = desk.book
    return PositionsReported(
        positions=tuple((bot, symbol, held) for (bot, symbol), held in book.positions.items()),
        open_orders=tuple(order.order.client_order_id for order in book.open_orders),
        excluded_positions=book.excluded,
        excluded_orders=excluded_orders,
        dust=tuple((bot, symbol, left) for (bot, symbol), left in desk.dust.items()),
        coin_prices={
            symbol: price
            for _, symbol in book.positions
            if is_crypto(symbol) and (price := book.price_or_cost(symbol)) is not None
        },
    )


def coverage_view(told: CoverageReported | None) -> Mapping[str, object]:
    """What the exit bot said last; None: nothing, or too long ago."""
    return {
        "coverage_pct": None if told is None else _text(told.pct),
        "coverage_known": told is not None and told.is_known,
        "mismatches": [] if told is None else [each.words for each in told.mismatches],
        "taken_over": {} if told is None else dict(told.taken_over),
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"
