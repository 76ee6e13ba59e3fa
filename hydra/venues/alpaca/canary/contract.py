"""The broker's answers as we know them, as dated data: their fields, and the words in them.

The date is `order_matrix.AS_OF`. What the readers need is theirs to say (`payloads`, `wire`); here
is what they go on without and Hydra does not, and what is known besides, so that news shows.
"""

from collections.abc import Mapping
from enum import Enum

import msgspec

from hydra.venues.alpaca.trading_stream import EVENTS
from hydra.venues.alpaca.wire import OPEN, OVER


class Kind(Enum):
    """What a field holds."""

    TEXT = "a text"
    AMOUNT = "an amount"
    FLAG = "true or false"
    TIME = "a time"
    MAP = "an object"


class Words(msgspec.Struct, frozen=True):
    """The words that a field may have. `decide`: a word that is not among them is not read."""

    known: frozenset[str]
    decide: bool = False


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of row. `needs` have to be there, and not null; `reads` may be absent."""

    name: str
    needs: Mapping[str, Kind]
    reads: Mapping[str, Kind] = {}
    known: frozenset[str] = frozenset()
    """Fields that may be there, and that nobody reads."""
    words: Mapping[str, Words] = {}


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_T, _A, _F, _AT = Kind.TEXT, Kind.AMOUNT, Kind.FLAG, Kind.TIME
_EVENT = "event"  # by a name, since a literal with this key is a line of the journal
_CLASSES = Words(_names("us_equity us_option crypto crypto_perp"))
_SIDES = Words(_names("buy sell sell_short"))

ACCOUNT = Shape(
    name="account",
    needs={
        "account_number": _T,
        "status": _T,
        "cash": _A,
        "trading_blocked": _F,
        "account_blocked": _F,
        "trade_suspended_by_user": _F,
    },
    reads={"crypto_status": _T, "currency": _T, "equity": _A},
    known=_names(
        "id crypto_tier accrued_fees pending_transfer_in pending_transfer_out pending_reg_taf_fees"
        " portfolio_value last_equity balance_asof long_market_value short_market_value"
        " position_market_value initial_margin maintenance_margin last_maintenance_margin sma"
        " multiplier buying_power regt_buying_power effective_buying_power"
        " non_marginable_buying_power options_buying_power options_approved_level"
        " options_trading_level intraday_adjustments shorting_enabled transfers_blocked created_at"
        " admin_configurations user_configurations pattern_day_trader daytrade_count"
        " daytrading_buying_power bod_dtbp"
    ),
    words={
        "status": Words(
            _names(
                "ONBOARDING SUBMISSION_FAILED SUBMITTED ACCOUNT_UPDATED APPROVAL_PENDING ACTIVE"
                " REJECTED INACTIVE ACCOUNT_CLOSED DISABLED ACTION_REQUIRED REAPPROVAL_PENDING"
                " AML_REVIEW APPROVED PAPER_ONLY"
            ),
            decide=True,
        ),
        "currency": Words(_names("USD")),
    },
)

CLOCK = Shape(
    name="clock",
    needs={"timestamp": _AT, "is_open": _F, "next_open": _AT, "next_close": _AT},
)

CALENDAR = Shape(
    name="calendar",
    needs={"date": _T, "open": _T, "close": _T},
    known=_names("session_open session_close settlement_date"),
)

ASSET = Shape(
    name="asset",
    needs={"id": _T, "symbol": _T, "status": _T, "tradable": _F},
    reads={"class": _T, "min_trade_increment": _T, "price_increment": _T},
    known=_names(
        "cusip exchange name marginable shortable easy_to_borrow borrow_status fractionable"
        " maintenance_margin_requirement margin_requirement_long margin_requirement_short"
        " attributes min_order_size"
    ),
    words={"class": _CLASSES, "status": Words(_names("active inactive"), decide=True)},
)

COIN = msgspec.structs.replace(
    ASSET,
    needs={**ASSET.needs, "min_trade_increment": _T, "price_increment": _T},
    reads={"class": _T},
)

POSITION = Shape(
    name="position",
    needs={"asset_id": _T, "symbol": _T, "qty": _A},
    reads={"asset_class": _T, "qty_available": _A, "side": _T},
    known=_names(
        "exchange asset_marginable avg_entry_price market_value cost_basis unrealized_pl"
        " unrealized_plpc unrealized_intraday_pl unrealized_intraday_plpc current_price"
        " lastday_price change_today avg_entry_swap_rate swap_rate usd"
    ),
    words={"asset_class": _CLASSES, "side": Words(_names("long short"))},
)

ORDER = Shape(
    name="order",
    needs={"id": _T, "client_order_id": _T, "status": _T, "filled_qty": _A, "submitted_at": _AT},
    reads={
        "symbol": _T,
        "asset_id": _T,
        "asset_class": _T,
        "side": _T,
        "type": _T,
        "order_class": _T,
        "time_in_force": _T,
        "qty": _A,
        "notional": _A,
        "limit_price": _A,
        "stop_price": _A,
        "extended_hours": _F,
        "created_at": _AT,
        "updated_at": _AT,
        "replaced_by": _T,
        "replaces": _T,
    },
    known=_names(
        "filled_at expired_at expires_at canceled_at failed_at replaced_at filled_avg_price"
        " order_type position_intent legs trail_percent trail_price hwm subtag source ratio_qty"
        " cancel_requested_at"
    ),
    words={
        "status": Words(OPEN | frozenset(OVER), decide=True),
        "side": Words(_SIDES.known | {""}),
        "type": Words(_names("market limit stop stop_limit trailing_stop") | {""}),
        "order_class": Words(_names("simple bracket oco oto mleg") | {""}),
        "time_in_force": Words(_names("day gtc opg cls ioc fok")),
        "asset_class": Words(_CLASSES.known | {""}),
    },
)

FILL = Shape(
    name="fill",
    needs={
        "id": _T,
        "activity_type": _T,
        "transaction_time": _AT,
        "price": _A,
        "qty": _A,
        "side": _T,
        "symbol": _T,
        "order_id": _T,
    },
    reads={"cum_qty": _A},
    known=_names("type leaves_qty order_status swap_rate execution_id account_id"),
    words={"side": _SIDES},
)

QUOTE = Shape(
    name="quote",
    needs={"t": _AT, "bp": _A, "bs": _A, "ap": _A, "as": _A},
    known=_names("bx ax c z"),
)

UPDATE = Shape(
    name="trade update",
    needs={_EVENT: _T, "timestamp": _AT, "order": Kind.MAP},
    reads={
        "execution_id": _T,
        "price": _A,
        "qty": _A,
        "reason": _T,
        "previous_execution_id": _T,
    },
    known=_names("at event_id position_qty position_qtys legs"),
    words={_EVENT: Words(EVENTS, decide=True)},
)
