"""Hypothesis strategies for requests: mostly sensible, sometimes anything."""

from collections.abc import Iterator
from urllib.parse import quote

import msgspec
from hypothesis import strategies as st

from hydra.venues.simulated.server.rest.data import routes as data
from hydra.venues.simulated.server.rest.trading import routes as trading
from tests.venues.server.rest.stage import CALL, HIGHER_CALL

UUID = "00000000-0000-4000-8000-000000000000"


def _words(*lines: str) -> list[str]:
    return [word for line in lines for word in line.split()]


words = st.sampled_from(
    _words(
        f"HYDR NOVA BTC/USD BTCUSD ZZZZZ HYDR,BTC/USD {CALL} {HIGHER_CALL} {UUID}",
        "0 -1 1 0.5 12 100 1e400 1E-300 NaN -0 999999999999999999999999999999 ,",
        "true False open all asc desc buy sell call active FILL CFEE trade_activity",
        "market limit stop trailing_stop day gtc ioc opg sip iex us_option crypto",
        "bracket oco oto mleg simple continuous no_reset extended_hours split",
        "buy_to_open sell_to_close 1D 9999A 1H 15Min 1Min 59Min 1Hour 1Day 1Week 12Month",
        "2026-11-23 2026-11-23T14:30:00Z 0001-01-01 9999-12-31T23:59:59.999999999Z",
        "0001-01-01T00:00:00+23:59 9999-12-31T23:59:59-23:59 2026-02-30 HYDRfDE= MQ==",
        "SFlEUnw5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk= SFlEUnwx",
    )
)
texts = words | st.text(max_size=12)

_parameters = st.sampled_from(
    _words(
        "symbols timeframe start end limit page_token sort feed adjustment asof currency",
        "status after until direction nested side asset_class before_order_id after_order_id",
        "qty percentage cancel_orders client_order_id period intraday_reporting pnl_reset",
        "activity_types category date page_size order_id exchange attributes",
        "underlying_symbols expiration_date expiration_date_gte expiration_date_lte",
        "root_symbol type style strike_price_gte strike_price_lte show_deliverables ppind",
        "updated_since date_type",
    )
)
queries = st.dictionaries(_parameters, texts, max_size=5)

_fields = st.sampled_from(
    _words(
        "symbol qty notional side type time_in_force limit_price stop_price trail_price",
        "trail_percent extended_hours client_order_id order_class take_profit stop_loss",
        "position_intent legs trail suspend_trade no_shorting max_options_trading_level",
        "max_margin_multiplier",
    )
)
_inner_fields = st.sampled_from(_words("limit_price stop_price symbol ratio_qty side"))
_numbers = st.integers() | st.floats(allow_nan=False) | st.decimals(allow_nan=False).map(str)
_values: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | _numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_inner_fields, inner, max_size=3),
    max_leaves=6,
)
_sides = st.sampled_from(["buy", "sell"])
_legs = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from([CALL, HIGHER_CALL, "HYDR", "ZZZZZ"]),
        "ratio_qty": st.sampled_from(["1", 2, "0", 1.5]),
        "side": _sides,
    }
)
_orders: st.SearchStrategy[dict[str, object]] = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from(["HYDR", "BTC/USD", CALL, "NOVA"]),
        "qty": st.sampled_from(["1", "12", "0.5", "0.0125", None]),
        "side": _sides,
        "type": st.sampled_from(["market", "limit", "stop", "stop_limit", "trailing_stop"]),
        "time_in_force": st.sampled_from(["day", "gtc", "ioc", "fok", "opg", "cls"]),
    },
    optional={
        "limit_price": st.sampled_from(["35", "41.27", "60", 61000]),
        "stop_price": st.sampled_from(["35", "41.27", "60"]),
        "trail_percent": st.sampled_from(["1.5", 50]),
        "notional": st.sampled_from(["100", 10.5]),
        "extended_hours": st.booleans(),
        "order_class": st.sampled_from(["bracket", "oco", "oto"]),
        "take_profit": st.just({"limit_price": "60"}),
        "stop_loss": st.just({"stop_price": "30"}),
    },
)
_spreads: st.SearchStrategy[dict[str, object]] = st.fixed_dictionaries(
    {
        "qty": st.sampled_from(["1", "2"]),
        "type": st.sampled_from(["market", "limit"]),
        "time_in_force": st.just("day"),
        "order_class": st.just("mleg"),
        "legs": st.lists(_legs, min_size=1, max_size=5),
    },
    optional={"limit_price": st.sampled_from(["3", "-1", 0])},
)


class _Thing(msgspec.Struct, frozen=True):
    """Something to trade, and prices under, at and over the market."""

    symbol: str
    qty: str
    time_in_force: str
    prices: tuple[str, str, str]


_things = st.sampled_from(
    [
        _Thing("HYDR", "12", "day", ("35", "41.27", "60")),
        _Thing("HYDR", "0.5", "day", ("35", "41.27", "60")),
        _Thing("NOVA", "10", "gtc", ("15", "19.52", "25")),
        _Thing("BTC/USD", "0.0125", "gtc", ("50000", "61210", "70000")),
        _Thing(CALL, "1", "day", ("0.5", "1.5", "9")),
    ]
)


@st.composite
def sensible_orders(draw: st.DrawFn) -> dict[str, object]:
    """Orders that a checked account could have sent; some refused, for what there is by then."""
    thing, order_type = draw(_things), draw(st.sampled_from(["market", "limit", "stop", "bracket"]))
    under, _, over = thing.prices
    order: dict[str, object] = {
        "symbol": thing.symbol,
        "qty": thing.qty,
        "side": draw(_sides),
        "type": "limit" if order_type == "bracket" else order_type,
        "time_in_force": thing.time_in_force,
    }
    if order_type in {"limit", "bracket"}:
        order["limit_price"] = draw(st.sampled_from(thing.prices))
    if order_type == "stop":
        order["stop_price"] = draw(st.sampled_from([under, over]))
    if order_type == "bracket":
        order["order_class"] = "bracket"
        target, stop = (over, under) if order["side"] == "buy" else (under, over)
        order["take_profit"], order["stop_loss"] = {"limit_price": target}, {"stop_price": stop}
    return order


_odd_fields: st.SearchStrategy[dict[str, object]] = st.dictionaries(_fields, _values, max_size=4)
orders = (
    sensible_orders()
    | _orders
    | _spreads
    | st.tuples(_orders, _odd_fields).map(lambda pair: {**pair[0], **pair[1]})
)
bodies: st.SearchStrategy[object] = st.none() | orders | _odd_fields | _values

verbs = st.sampled_from(["GET", "GET", "POST", "PATCH", "DELETE", "PUT", "HEAD"])


@st.composite
def paths(draw: st.DrawFn, known_words: list[str]) -> str:
    """The path of some endpoint, its gaps filled with one of these words, or with any."""
    route = draw(st.sampled_from([*trading.ROUTES, *data.ROUTES]))
    gap = st.sampled_from(known_words) | texts if known_words else texts
    return "".join(_filled(draw, route.path, gap))


def _filled(draw: st.DrawFn, pattern: str, gap: st.SearchStrategy[str]) -> Iterator[str]:
    for part in pattern.split("{"):
        name, closed, rest = part.partition("}")
        yield quote(draw(gap), safe="") + rest if closed else name
