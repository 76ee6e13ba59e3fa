"""The trading conversation: every update told once it is understood, and a gap where it is not."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.orders import Fill, Order, OrderType, Side, TimeInForce
from hydra.venues.alpaca.stream import Heard, Trouble
from hydra.venues.alpaca.times import nanoseconds
from hydra.venues.alpaca.trading_stream import TradingConversation
from messages.orders import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
)
from messages.streams import StreamGap
from tests.venues.alpaca.vectors import frames_of

NAME = "hy1-20261123-0123456789abcdef-e"
AT = "2026-11-23T14:31:12.551144Z"
ORDER = Order(
    client_order_id=NAME,
    symbol="HYDR",
    side=Side.BUY,
    quantity=Decimal(12),
    order_type=OrderType.LIMIT,
    time_in_force=TimeInForce.DAY,
    limit_price=Decimal("41.27"),
)


def update(event: str, status: str, filled: str = "0", **more: Any) -> dict[str, Any]:
    order = {
        "id": "c2c6748d-88c5-4055-bfcc-ee1196dafb7b",
        "client_order_id": more.pop("client_order_id", NAME),
        "symbol": "HYDR",
        "qty": "12",
        "filled_qty": filled,
        "type": more.pop("type", "limit"),
        "side": "buy",
        "time_in_force": "day",
        "limit_price": "41.27",
        "status": status,
        "order_class": "",
        "legs": None,
    }
    return {
        "stream": "trade_updates",
        "data": {"event": event, "timestamp": AT, "order": order, **more},
    }


def execution(number: int, quantity: str, filled: str, event: str = "partial_fill") -> Any:
    status = "filled" if event == "fill" else "partially_filled"
    return update(event, status, filled, execution_id=f"x-{number}", price="41.26", qty=quantity)


def filled(number: int, quantity: str) -> OrderFilled:
    return OrderFilled(
        fill=Fill(
            execution_id=f"x-{number}",
            client_order_id=NAME,
            symbol="HYDR",
            side=Side.BUY,
            quantity=Decimal(quantity),
            price=Decimal("41.26"),
            at=nanoseconds(AT),
        )
    )


def told(*frames: Any) -> list[Any]:
    talk = TradingConversation("KEY", "SECRET")
    return [fact for frame in frames for fact in talk.hear(json.dumps(frame).encode()).tell]


def kinds(facts: list[Any]) -> list[type]:
    return [type(fact) for fact in facts]


def test_it_logs_in_listens_and_is_live_once_that_is_acknowledged() -> None:
    frames = frames_of("ws_trading_session")
    talk = TradingConversation("KEY", "SECRET")

    (login,) = talk.opened()
    authorized = talk.hear(json.dumps(frames[0]))
    listening = talk.hear(json.dumps(frames[1]).encode())  # paper speaks in binary frames

    assert json.loads(login) == {
        "action": "authenticate",
        "data": {"key_id": "KEY", "secret_key": "SECRET"},
    }
    assert [json.loads(message) for message in authorized.send] == [
        {"action": "listen", "data": {"streams": ["trade_updates"]}}
    ]
    assert not authorized.is_live
    assert listening == Heard(is_live=True)


def test_keys_that_are_not_taken_are_a_refusal() -> None:
    (frame, _) = frames_of("ws_trading_unauthorized")

    heard = TradingConversation("KEY", "SECRET").hear(json.dumps(frame))

    assert heard == Heard(
        failure="the venue says unauthorized to authenticate", trouble=Trouble.REFUSED
    )


@pytest.mark.parametrize("action", [{"action": None}, {}])
def test_a_refusal_that_does_not_say_of_what_is_a_refusal(action: dict[str, None]) -> None:
    frame = {"stream": "authorization", "data": {"status": "unauthorized"} | action}

    heard = TradingConversation("KEY", "SECRET").hear(json.dumps(frame))

    assert heard == Heard(failure="the venue says unauthorized to us", trouble=Trouble.REFUSED)


def test_words_of_a_refusal_command_no_terminal() -> None:
    said = {"status": "un\x1b[31mauthorized", "action": "authenticate\n"}

    heard = TradingConversation("KEY", "SECRET").hear(
        json.dumps({"stream": "authorization", "data": said})
    )

    assert heard.failure == "the venue says un [31mauthorized to authenticate"


@pytest.mark.parametrize("streams", [{"streams": []}, {"streams": None}, {}])
def test_to_listen_to_nothing_is_not_to_be_live_i47(streams: dict[str, object]) -> None:
    frame = {"stream": "listening", "data": streams}

    heard = TradingConversation("KEY", "SECRET").hear(json.dumps(frame))

    assert not heard.is_live
    assert heard.failure == "the venue does not let us listen to trade_updates"


@pytest.mark.parametrize("event", ["pending_new", "accepted", "new"])
def test_an_order_that_is_taken_is_told_with_its_echo_i27(event: str) -> None:
    accepted = OrderAccepted(
        client_order_id=NAME,
        venue_order_id="c2c6748d-88c5-4055-bfcc-ee1196dafb7b",
        at=nanoseconds(AT),
        echo=ORDER,
    )

    assert told(update(event, event, execution_id="not one of ours")) == [accepted]


def test_executions_are_told_as_they_come_and_again_if_they_come_again_i23() -> None:
    frames = [execution(1, "5", "5"), execution(2, "7", "12", "fill")]

    assert told(*frames, frames[1]) == [filled(1, "5"), filled(2, "7"), filled(2, "7")]


def test_a_partial_execution_that_comes_late_is_told_and_leaves_no_doubt_afterwards_i24() -> None:
    late = [execution(2, "7", "12", "fill"), execution(1, "5", "5")]

    facts = told(*late, update("fill", "filled", "12", execution_id="x-2", price="41.26", qty="7"))

    assert [fact for fact in facts if isinstance(fact, OrderFilled)] == [
        filled(2, "7"),
        filled(1, "5"),
        filled(2, "7"),
    ]
    assert kinds(facts)[-1] is OrderFilled  # all twelve are known now


def test_more_filled_than_was_told_is_a_gap_i47() -> None:
    facts = told(execution(1, "5", "5"), update("canceled", "canceled", "9"))

    assert facts[1] == OrderCanceled(client_order_id=NAME, at=nanoseconds(AT))
    assert kinds(facts) == [OrderFilled, OrderCanceled, StreamGap]
    assert facts[2].reason == f"{NAME}: 9 are filled, and executions of 5 were told"


def test_an_order_that_had_traded_on_an_earlier_connection_is_one_gap_i47() -> None:
    parts = [execution(number, "1", str(number)) for number in range(3, 12)]

    facts = told(*parts)

    assert kinds(facts) == [OrderFilled, StreamGap, *[OrderFilled] * 8]


def test_each_execution_that_is_lost_is_a_gap_of_its_own_i47() -> None:
    parts = [execution(number, "1", str(number)) for number in (1, 2, 4, 5, 8, 9)]

    facts = told(*parts)

    assert [kind is StreamGap for kind in kinds(facts)].count(True) == 2
    assert kinds(facts)[3] is kinds(facts)[6] is StreamGap


def test_an_execution_without_a_name_is_not_made_up_and_is_a_gap_i23_i61() -> None:
    facts = told(update("fill", "filled", "12", price="41.26", qty="12"))

    assert kinds(facts) == [StreamGap]


@pytest.mark.parametrize("quantity", ["0", "-7", "NaN"])
def test_an_execution_of_nothing_is_none_i46(quantity: str) -> None:
    assert OrderFilled not in kinds(told(execution(1, quantity, "5")))


def test_ends_are_told() -> None:
    at = nanoseconds(AT)

    assert told(update("canceled", "canceled")) == [OrderCanceled(client_order_id=NAME, at=at)]
    assert told(update("expired", "expired")) == [OrderExpired(client_order_id=NAME, at=at)]
    assert told(update("rejected", "rejected", reason="halted")) == [
        OrderRejected(client_order_id=NAME, reason="halted", at=at)
    ]
    assert told(update("rejected", "rejected")) == [
        OrderRejected(client_order_id=NAME, reason="rejected late, without a reason", at=at)
    ]


def test_words_of_a_late_rejection_command_no_terminal() -> None:
    (rejected,) = told(update("rejected", "rejected", reason="ha\x1b[2Jlted\n"))

    assert rejected.reason == "ha [2Jlted"


@pytest.mark.parametrize("event", ["replaced", "trade_bust", "trade_correct", "restated"])
def test_what_changes_the_past_is_read_and_not_guessed_i23(event: str) -> None:
    facts = told(
        update(
            event,
            "filled",
            "0",
            execution_id="x-9",
            previous_execution_id="x-1",
            price="41.26",
            qty="7",
        )
    )

    assert kinds(facts) == [StreamGap]
    assert facts[0].reason == f"{NAME}: {event}: what it changes is to be read"


def test_an_unknown_event_is_a_gap_and_its_execution_is_booked_all_the_same() -> None:
    facts = told(execution(1, "5", "5", "partial_fill_of_a_new_kind"))

    assert facts[0] == filled(1, "5")
    assert kinds(facts) == [OrderFilled, StreamGap]
    assert "partial_fill_of_a_new_kind" in facts[1].reason
    assert "x-1" in facts[1].raw


LONG_SECRET = "Qw8vT3nLz0RkY5mXb2Jd7HsPc9GfAeUi4oN1tVyZ"


@pytest.mark.parametrize("before", range(1_900, 2_000, 7))
def test_no_piece_of_a_key_is_left_where_what_was_told_is_cut_i83(before: int) -> None:
    said = json.dumps({"stream": "debug", "data": {"seen": "x" * before, "secret": LONG_SECRET}})

    (gap,) = TradingConversation("PKKEY", LONG_SECRET).hear(said).tell

    assert isinstance(gap, StreamGap)
    assert LONG_SECRET[:4] not in gap.raw


def test_no_piece_of_a_key_is_left_where_words_are_cut_i83() -> None:
    said = {"status": "x" * 250 + LONG_SECRET, "action": "x"}
    rejected = update("rejected", "rejected", "0", reason="x" * 290 + LONG_SECRET)
    talk = TradingConversation("PKKEY", LONG_SECRET)

    refused = talk.hear(json.dumps({"stream": "authorization", "data": said}))
    (rejection,) = talk.hear(json.dumps(rejected)).tell

    assert LONG_SECRET[:4] not in str(refused.failure)
    assert LONG_SECRET[:4] not in rejection.reason


def test_an_unknown_word_about_the_order_is_a_gap_and_its_execution_is_booked() -> None:
    frame = update(
        "fill", "filled", "12", type="pegged", execution_id="x-1", price="41.26", qty="12"
    )

    facts = told(frame)

    assert facts[0] == filled(1, "12")
    assert kinds(facts) == [OrderFilled, StreamGap]


def test_an_order_that_is_not_ours_is_a_gap_and_no_report_i29() -> None:
    facts = told(update("new", "new", client_order_id="somebody-else"))

    assert kinds(facts) == [StreamGap]


@pytest.mark.parametrize(
    "name",
    [
        "ws_tu_accepted_then_new",
        "ws_tu_canceled_after_partial",
        "ws_tu_crypto_fill",
        "ws_tu_expired",
        "ws_tu_fill_beats_cancel",
        "ws_tu_limit_filled",
        "ws_tu_rejected_late",
        "ws_tu_replayed",
    ],
)
def test_the_recorded_updates_are_understood_from_their_beginning(name: str) -> None:
    frames = [frame for frame in frames_of(name) if frame["stream"] == "trade_updates"]
    facts = told(*frames)

    executed = {fact.fill.execution_id for fact in facts if isinstance(fact, OrderFilled)}
    named = {
        frame["data"]["execution_id"]
        for frame in frames
        if frame["data"]["event"] in ("fill", "partial_fill")
    }
    assert executed == named
    # Some were recorded from the middle on: those leave a doubt about what was before.
    is_whole = sum(
        Decimal(frame["data"]["qty"])
        for frame in {
            frame["data"]["execution_id"]: frame
            for frame in frames
            if frame["data"]["event"] in ("fill", "partial_fill")
        }.values()
    ) == Decimal(frames[-1]["data"]["order"]["filled_qty"])
    assert (StreamGap not in kinds(facts[-1:] if is_whole else facts)) is is_whole


@given(data=st.binary(max_size=200) | st.text(max_size=200))
def test_nothing_that_is_said_raises_anything(data: bytes | str) -> None:
    assert isinstance(TradingConversation("KEY", "SECRET").hear(data), Heard)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just("1e999999"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@given(field=st.sampled_from(["event", "timestamp", "execution_id", "price", "qty"]), value=JSON)
def test_no_field_raises_anything_and_none_is_passed_over(field: str, value: Any) -> None:
    frame = execution(1, "5", "5")
    frame["data"][field] = value

    facts = told(frame)

    assert facts
    assert all(fact.fill.quantity > 0 for fact in facts if isinstance(fact, OrderFilled))


@given(
    field=st.sampled_from(["symbol", "qty", "filled_qty", "type", "side", "status", "legs", "id"]),
    value=JSON,
)
def test_no_field_of_the_order_raises_anything(field: str, value: Any) -> None:
    frame = execution(1, "5", "5")
    frame["data"]["order"][field] = value

    assert told(frame)


def test_keys_are_in_no_text_that_may_be_logged_i83() -> None:
    talk = TradingConversation("KEY-CANARY", "SECRET-CANARY")

    heard = talk.hear(b"{}")

    assert "CANARY" not in repr((talk, heard))
