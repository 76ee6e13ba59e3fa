"""Lines of an outside strategy: what is a signal, what is none, and what is refused."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from hydra.runtime.contents import decoded, encoded
from hydra.trading.durations import MILLISECOND, SECOND
from hydra.trading.orders import Role, Side
from hydra.trading.trade_signals import (
    AHEAD_MAX,
    LINE_BYTES_MAX,
    BadLine,
    DayCount,
    SignalAction,
    SignalLimits,
    TradeSignal,
    notional_refusal,
    number_of,
    refusal,
    signal_in,
)
from messages.signals import SignalRead

AT = 1_767_627_060 * SECOND
"""2026-01-05 15:31 UTC."""
LINE: dict[str, Any] = {
    "id": "nvda-1",
    "symbol": "NVDA",
    "action": "buy",
    "at": "2026-01-05T15:31:00Z",
    "notional_usd": 1000,
}
SIGNAL = TradeSignal(
    id="nvda-1", symbol="NVDA", action=SignalAction.BUY, at=AT, notional_usd=Decimal(1000)
)
LIMITS = SignalLimits(
    symbols=frozenset({"NVDA", "MSFT"}),
    orders_per_day_max=2,
    notional_per_day_usd_max=Decimal(5000),
    age_ns_max=60 * SECOND,
)
DAY = DayCount(session="2026-01-05")


def line(**changes: object) -> bytes:
    """The fine line with some keys changed; None takes one out."""
    content = {**LINE, **changes}
    return json.dumps({key: each for key, each in content.items() if each is not None}).encode()


def test_a_line_is_read_to_the_last_digit() -> None:
    text = line(
        notional_usd=None,
        quantity="12",
        limit_price=121.1,
        stop_price="118.123456789",
        at="2026-01-05T10:31:00.250-05:00",
        expires_at="2026-01-05T15:32:00Z",
        reason="crossed",
    )

    assert signal_in(text) == TradeSignal(
        id="nvda-1",
        symbol="NVDA",
        action=SignalAction.BUY,
        at=AT + 250 * MILLISECOND,
        quantity=Decimal(12),
        limit_price=Decimal("121.1"),
        stop_price=Decimal("118.123456789"),
        expires_at=AT + 60 * SECOND,
        reason="crossed",
    )


def test_what_never_expires_by_its_own_word_can_be_recorded() -> None:
    signal = signal_in(line(expires_at="9999-12-31T23:59:59Z"))
    told = SignalRead(signal=signal)

    assert decoded(encoded(told), SignalRead) == told
    assert refusal(signal, LIMITS, DAY, at=AT + LIMITS.age_ns_max, closed=None) is None


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (b"", "found no JSON"),
        (b"buy 10 NVDA", "found no JSON"),
        (b"[1]", "found [1], wanted one JSON object"),
        (b"\xff{}", "no UTF-8"),
        (b"[" * 10_000, "found no JSON"),
        (line(id=""), "id: found ''"),
        (line(at="9999-12-31T23:59:59Z"), "at: found '9999-12-31T23:59:59"),
        (line(at="0001-01-01T00:00:00Z"), "wanted a year from 1970 to 2261"),
        (line(id="a b"), "id: found 'a b'"),
        (line(symbol="nvda"), "symbol: found 'nvda'"),
        (line(symbol="BTC/USD"), "symbol: found 'BTC/USD'"),
        (line(action="short"), "short"),
        (line(at="2026-01-05T15:31:00"), "timezone"),
        (line(at=1767627060), "got `int`"),
        (line(colour="red"), "unknown field `colour`"),
        (line(symbol=None), "missing required field `symbol`"),
        (line(quantity=10), "either quantity or notional_usd"),
        (line(notional_usd=None), "either quantity or notional_usd"),
        (line(notional_usd=0), "notional_usd: found '0', wanted a number over 0"),
        (line(notional_usd=-5), "notional_usd: found '-5'"),
        (line(notional_usd="NaN"), "notional_usd: found 'NaN'"),
        (line(notional_usd=True), "got `bool`"),
        (line(notional_usd="\ud800"), "found half a character"),
        (line(notional_usd="1e99"), "notional_usd: found '1E+99'"),
        (line(notional_usd=None, quantity="1.5"), "wanted whole shares"),
        (line(limit_price="100", stop_price="100"), "less than limit_price"),
        (line(expires_at="2026-01-05T15:31:00Z"), "expires_at"),
        (line(reason="a\nb"), "reason"),
        (line(action="sell"), "notional_usd: found it in a sale"),
        (line(action="sell", notional_usd=None, limit_price=1), "limit_price: found it in a sale"),
        (b'{"id":"a","id":"b"}', "'id' stands there twice"),
        (b'{"id":NaN}', "found NaN, wanted a number"),
        (b'{"notional_usd":1e99999999999999999999}', "found no JSON"),
        (b" " * (LINE_BYTES_MAX + 1), f"wanted at most {LINE_BYTES_MAX}"),
    ],
)
def test_what_is_no_signal_is_told_apart_with_its_reason(bad: bytes, words: str) -> None:
    with pytest.raises(BadLine) as told:
        signal_in(bad)

    assert words in str(told.value)
    assert "\n" not in str(told.value)


@given(st.binary(max_size=300))
def test_whatever_stands_in_a_line_it_is_a_signal_or_a_bad_line(content: bytes) -> None:
    try:
        signal_in(content)
    except BadLine:
        return


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.sampled_from([*LINE, "quantity", "limit_price", "stop_price", "expires_at"]), JSON_VALUES)
def test_whatever_stands_for_a_value_a_signal_has_sane_numbers_only(
    key: str, value: object
) -> None:
    try:
        signal = signal_in(json.dumps({**LINE, key: value}).encode())
    except BadLine:
        return

    numbers = (signal.quantity, signal.notional_usd, signal.limit_price, signal.stop_price)
    assert all(each is None or 0 < each <= 10_000_000 for each in numbers)


@pytest.mark.parametrize(
    ("signal", "at", "words"),
    [
        (SIGNAL, AT, None),
        (SIGNAL, AT - AHEAD_MAX, None),
        (SIGNAL, AT - AHEAD_MAX - SECOND, "dated 6 s in the future"),
        (SIGNAL, AT + 60 * SECOND, None),
        (SIGNAL, AT + 61 * SECOND, "is 61 s old, at most 60 s allowed"),
        (structs.replace(SIGNAL, expires_at=AT + 10 * SECOND), AT + 9 * SECOND, None),
        (structs.replace(SIGNAL, expires_at=AT + 10 * SECOND), AT + 10 * SECOND, "it expired"),
        (structs.replace(SIGNAL, symbol="AAPL"), AT, "AAPL is not in signalbot.symbols"),
    ],
)
def test_late_early_and_foreign_signals_are_refused(
    signal: TradeSignal, at: int, words: str | None
) -> None:
    told = refusal(signal, LIMITS, DAY, at=at, closed=None)

    assert told is None if words is None else words in (told or "")


def test_closing_and_the_days_count_stop_buys_and_never_sales() -> None:
    sale = TradeSignal(id="x", symbol="NVDA", action=SignalAction.SELL, at=AT)
    full = DAY.with_entry(Decimal(1)).with_entry(Decimal(1))

    told = [
        refusal(each, LIMITS, count, at=AT, closed=closed)
        for each in (SIGNAL, sale)
        for count, closed in ((full, None), (DAY, "its kill file says so"))
    ]

    assert told == [
        "it has made its 2 entries of the day, at most 2 allowed",
        "it is closed for entries: its kill file says so",
        None,
        None,
    ]


def test_the_days_notional_may_be_reached_and_not_passed_and_begins_anew_each_day() -> None:
    spent = DAY.with_entry(Decimal(4000))

    told = [notional_refusal(Decimal(each), LIMITS, spent) for each in ("1000", "1000.01", "NaN")]

    assert told[:2] == [
        None,
        "the day's entries would be worth 5000.01 USD, at most 5000 USD allowed",
    ]
    assert told[2] is not None
    assert spent.in_session("2026-01-05") == spent
    assert spent.in_session("2026-01-06") == DayCount(session="2026-01-06")
    assert spent.in_session("2026-01-02") == spent  # a clock that is set back spends nothing anew


def test_an_action_says_what_its_order_is_for() -> None:
    assert [(each.role, each.side) for each in SignalAction] == [
        (Role.ENTRY, Side.BUY),
        (Role.EXIT, Side.SELL),
    ]


@given(st.sets(st.text("abc012.-_:", min_size=1, max_size=12), min_size=1, max_size=50))
def test_every_id_has_its_own_number_above_all_that_a_bot_counts_to(ids: set[str]) -> None:
    numbers = {number_of(each) for each in ids}

    assert len(numbers) == len(ids)
    assert all(1 << 47 <= number < 1 << 48 for number in numbers)


def test_a_number_is_the_same_for_ever() -> None:
    assert number_of("nvda-1") == 253_711_447_088_306
