"""The market-data conversation: what it answers, what it tells, and that nothing upsets it."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.trading.bars import Bar
from hydra.trading.quotes import Quote
from hydra.venues.alpaca.data_stream import Channels, DataConversation
from hydra.venues.alpaca.stream import Heard, Trouble
from hydra.venues.alpaca.websocket import Message
from messages.market import BarsReceived, QuoteReceived, TradingStatusReceived
from messages.streams import StreamGap
from tests.venues.alpaca.vectors import frames_of

MINUTE = 60_000_000_000
CHANNELS = Channels(bars=("HYDR", "NOVA"), quotes=("HYDR",))
CONNECTED = [{"T": "success", "msg": "connected"}]
AUTHENTICATED = [{"T": "success", "msg": "authenticated"}]
WITH_STATUSES = Channels(bars=("HYDR",), statuses=("HYDR", "NOVA"))
HALT = {
    "T": "s",
    "S": "HYDR",
    "t": "2026-11-23T15:02:11Z",
    "z": "C",
    "sc": "H",
    "sm": "Trading Halt",
    "rc": "T1",
    "rm": "Halt News Pending",
}
ACKNOWLEDGED = [{"T": "subscription", "trades": [], "bars": ["HYDR", "NOVA"], "quotes": ["HYDR"]}]


def packed(frame: object) -> bytes:
    """As the venue packs it: times are msgpack timestamps."""
    return msgspec.msgpack.encode(_with_times(frame))


def unpacked(messages: tuple[Message, ...]) -> list[object]:
    return [msgspec.msgpack.decode(message) for message in messages if isinstance(message, bytes)]


def _with_times(value: Any) -> Any:
    match value:
        case dict():
            return {
                name: datetime.fromisoformat(f"{inner.rstrip('Z')[:26]}+00:00")
                if name == "t" and isinstance(inner, str)
                else _with_times(inner)
                for name, inner in value.items()
            }
        case list():
            return [_with_times(inner) for inner in value]
        case _:
            return value


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000_000) * 1_000


HALTED_AT = ns("2026-11-23T15:02:11")


def conversation(channels: Channels = CHANNELS) -> DataConversation:
    return DataConversation("stocks", "KEY", "SECRET", channels, MINUTE)


def test_it_logs_in_subscribes_and_is_live_once_all_is_acknowledged() -> None:
    talk = conversation()

    assert talk.opened() == ()
    login = talk.hear(packed(CONNECTED))
    subscription = talk.hear(packed(AUTHENTICATED))
    acknowledged = talk.hear(packed(ACKNOWLEDGED))

    assert unpacked(login.send) == [{"action": "auth", "key": "KEY", "secret": "SECRET"}]
    assert unpacked(subscription.send) == [
        {"action": "subscribe", "bars": ["HYDR", "NOVA"], "quotes": ["HYDR"]}
    ]
    assert (login.is_live, subscription.is_live) == (False, False)
    assert acknowledged == Heard(is_live=True)


def test_a_subscription_that_lacks_something_is_none_i45() -> None:
    heard = conversation().hear(packed([{"T": "subscription", "bars": ["HYDR"], "quotes": []}]))

    assert heard == Heard(
        failure="not subscribed to bars of NOVA; quotes of HYDR", trouble=Trouble.REFUSED
    )


def test_channels_that_are_null_in_an_acknowledgement_are_empty() -> None:
    talk = conversation()
    talk.hear(packed(AUTHENTICATED))

    heard = talk.hear(packed([ACKNOWLEDGED[0] | {"statuses": None, "dailyBars": None}]))
    lacking = talk.hear(packed([ACKNOWLEDGED[0] | {"quotes": None}]))

    assert heard == Heard(is_live=True)
    assert lacking.failure == "not subscribed to quotes of HYDR"


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        (400, Trouble.LOST),
        (401, Trouble.LOST),
        (402, Trouble.REFUSED),
        (404, Trouble.LOST),
        (405, Trouble.REFUSED),
        (406, Trouble.BUSY),
        (407, Trouble.LOST),
        (408, Trouble.REFUSED),
        (409, Trouble.REFUSED),
        (411, Trouble.REFUSED),
        (500, Trouble.LOST),
        (599, Trouble.LOST),
    ],
)
def test_an_error_ends_the_connection_and_says_how_to_go_on(code: int, trouble: Trouble) -> None:
    heard = conversation().hear(packed([{"T": "error", "code": code, "msg": "so it is"}]))

    assert heard == Heard(failure=f"the venue says {code}: so it is", trouble=trouble)


@pytest.mark.parametrize("error", [{"code": 402, "msg": None}, {"code": 402}])
def test_an_error_without_words_is_an_error(error: dict[str, object]) -> None:
    heard = conversation().hear(packed([{"T": "error"} | error]))

    assert heard == Heard(failure="the venue says 402: ", trouble=Trouble.REFUSED)


@pytest.mark.parametrize(
    "odd",
    [
        {"T": "error", "code": None, "msg": "auth failed"},
        {"T": "error", "code": "402"},
        {"T": "subscription", "bars": "HYDR"},
        {"T": "success", "msg": 1},
    ],
)
def test_a_word_about_the_connection_that_cannot_be_read_is_its_end(odd: dict[str, object]) -> None:
    heard = conversation().hear(packed([odd]))

    assert [type(fact) for fact in heard.tell] == [StreamGap]
    assert heard.failure is not None
    assert heard.failure.startswith(f"cannot be read: an element of kind '{odd['T']}': ")
    assert heard.trouble is Trouble.LOST and not heard.is_live


def test_words_of_an_error_command_no_terminal() -> None:
    heard = conversation().hear(packed([{"T": "error", "code": 500, "msg": "\x1b]0;so\a it is"}]))

    assert heard.failure == "the venue says 500: ]0;so it is"


def test_what_follows_an_acknowledgement_in_its_frame_is_heard_i47() -> None:
    talk = conversation()
    talk.hear(packed(AUTHENTICATED))
    bar = {"T": "b", "S": "NOVA", "t": "2026-11-23T14:31:00Z", "v": 10.0}
    prices = {"o": 41.2, "h": 41.3, "l": 41.1, "c": 41.25}

    heard = talk.hear(packed([*ACKNOWLEDGED, bar | prices]))

    at = ns("2026-11-23T14:31:00")
    told = Bar("NOVA", at, at + MINUTE, 41.2, 41.3, 41.1, 41.25, 10.0)
    assert heard == Heard(tell=(BarsReceived(bars=(told,)),), is_live=True)


def test_what_is_nested_too_deeply_is_a_gap_i47() -> None:
    (gap,) = conversation().hear(b"\x91" * 5_000 + b"\xc0").tell

    assert isinstance(gap, StreamGap)


def test_that_it_is_logged_in_already_is_no_failure() -> None:
    assert conversation().hear(packed([{"T": "error", "code": 403}])) == Heard()


def test_bars_of_the_recorded_session_are_told_and_later_ones_left_alone() -> None:
    told = [fact for frame in frames_of("ws_stock_bars") for fact in heard_of(frame).tell]

    start = ns("2026-11-23T14:31:00")
    bar = Bar("HYDR", start, start + MINUTE, 41.29, 41.3, 41.22, 41.27, 5120.0)
    assert told == [BarsReceived(bars=(bar,))]


def test_quotes_are_told_whatever_is_traded() -> None:
    stock = heard_of(frames_of("ws_stock_trade_quote_batch")[0]).tell
    option = [fact for frame in frames_of("ws_option") for fact in heard_of(frame).tell]
    coin = [fact for frame in frames_of("ws_crypto") for fact in heard_of(frame).tell]

    assert stock and all(isinstance(fact, QuoteReceived) for fact in stock)
    at = ns("2026-11-23T14:31:05.118046")
    assert option == [QuoteReceived(quote=Quote("HYDR261218C00042500", at, 1.4, 1.44, 21.0, 37.0))]
    at = ns("2026-11-23T14:31:06.884904")
    assert coin[0] == QuoteReceived(quote=Quote("BTC/USD", at, 61247.9, 61251.4, 0.8213, 0.5107))
    assert [type(fact) for fact in coin] == [QuoteReceived, BarsReceived]


def test_every_trading_status_but_a_known_resume_is_a_halt_i46() -> None:
    told = [
        fact for frame in frames_of("ws_stock_status_halt_resume") for fact in heard_of(frame).tell
    ]

    assert [(fact.symbol, fact.trades, fact.code) for fact in told] == [
        ("HYDR", False, "H"),
        ("HYDR", True, "T"),
        ("NOVA", False, "2"),
    ]
    unknown = {"T": "s", "S": "HYDR", "sc": "?", "t": "2026-11-23T15:32:11Z", "z": "C"}
    (fact,) = heard_of([unknown]).tell
    assert isinstance(fact, TradingStatusReceived) and not fact.trades


@pytest.mark.parametrize("null", ["sm", "rc", "rm", "z"])
def test_a_halt_that_does_not_say_all_is_a_halt_all_the_same_i46(null: str) -> None:
    (fact,) = heard_of([HALT | {null: None}]).tell

    assert isinstance(fact, TradingStatusReceived)
    assert (fact.symbol, fact.trades, fact.code, fact.at) == ("HYDR", False, "H", HALTED_AT)


@pytest.mark.parametrize("odd", [{"sc": None}, {"sc": 5}, {"t": None}, {"sm": 1}, {"t": 5}])
def test_a_trading_status_that_cannot_be_read_is_a_halt_of_its_symbol_i46(
    odd: dict[str, object],
) -> None:
    heard = conversation(WITH_STATUSES).hear(packed([HALT | {"sc": "T", "z": "C"} | odd]))

    gap, halt = heard.tell
    assert isinstance(gap, StreamGap) and isinstance(halt, TradingStatusReceived)
    assert (halt.symbol, halt.trades, halt.at) == ("HYDR", False, None)
    assert halt.reason.startswith("cannot be read: an element of kind 's': ")
    assert heard.failure is None


@pytest.mark.parametrize("name", [None, 5, "hydr"])
def test_a_trading_status_of_nobody_knows_whom_halts_all_until_they_are_seen_to_trade_i46(
    name: object,
) -> None:
    heard = conversation(WITH_STATUSES).hear(packed([HALT | {"S": name, "sc": None}]))

    gap, *halts = heard.tell
    assert isinstance(gap, StreamGap)
    assert [(each.symbol, each.trades) for each in halts] == [("HYDR", False), ("NOVA", False)]
    # The next connection begins with halts that may be over, so that a trade ends them.
    assert heard.failure is not None and heard.trouble is Trouble.LOST


def test_where_no_statuses_are_listened_to_one_that_cannot_be_read_is_a_gap() -> None:
    heard = conversation().hear(packed([HALT | {"sc": None}]))

    assert [type(fact) for fact in heard.tell] == [StreamGap]
    assert heard.failure is None


def test_words_of_a_trading_status_command_no_terminal() -> None:
    odd = {"T": "s", "S": "HYDR", "sc": "\x1bc", "sm": "so\nit is", "rm": "\x9b1m"}

    (fact,) = heard_of([odd | {"t": "2026-11-23T15:32:11Z", "z": "C"}]).tell

    assert (fact.code, fact.reason) == ("c", "so it is 1m")


def test_an_element_that_cannot_be_read_is_a_gap_and_the_others_are_told_i46_i47() -> None:
    good = {"T": "q", "S": "HYDR", "bp": 1.0, "bs": 1, "ap": 1.1, "as": 1, "t": "2026-11-23T15:00Z"}
    bad = {"T": "q", "S": "HYDR", "bp": "dear", "t": "2026-11-23T15:00Z"}
    strange = {"T": "zz", "S": "HYDR"}

    told = heard_of([bad, strange, good]).tell

    assert [type(fact) for fact in told] == [StreamGap, QuoteReceived]


@given(data=st.binary(max_size=300))
def test_no_bytes_raise_anything_i46(data: bytes) -> None:
    heard = conversation().hear(data)

    assert isinstance(heard, Heard)


KINDS = st.sampled_from(["success", "error", "subscription", "b", "q", "s", "t", "x", ""])
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)


@given(
    elements=st.lists(
        st.dictionaries(
            st.sampled_from(["S", "t", "o", "h", "l", "c", "v", "bp", "ap", "as", "bs", "msg"]),
            VALUES | st.lists(VALUES, max_size=2),
        ).flatmap(lambda fields: KINDS.map(lambda kind: {"T": kind, **fields})),
        max_size=4,
    )
)
def test_no_elements_raise_anything_i46(elements: list[dict[str, object]]) -> None:
    try:
        data = msgspec.msgpack.encode(elements)
    except OverflowError:  # no frame can hold such a number
        return

    heard = conversation().hear(data)

    assert isinstance(heard, Heard)


def test_keys_are_in_no_text_that_may_be_logged_i83() -> None:
    talk = DataConversation("stocks", "KEY-CANARY", "SECRET-CANARY", CHANNELS, MINUTE)

    heard = talk.hear(packed([{"T": "error", "code": 402, "msg": "auth failed"}]))

    assert "CANARY" not in json.dumps([repr(talk), heard.failure])


LONG_SECRET = "Qw8vT3nLz0RkY5mXb2Jd7HsPc9GfAeUi4oN1tVyZ"


@pytest.mark.parametrize("before", range(1_900, 2_000, 7))
def test_no_piece_of_a_key_is_left_where_what_was_told_is_cut_i83(before: int) -> None:
    talk = DataConversation("stocks", "PKKEY", LONG_SECRET, CHANNELS, MINUTE)
    odd = {"T": "b", "seen": "x" * before, "secret": LONG_SECRET}

    of_an_element = talk.hear(packed([odd])).tell
    of_a_frame = talk.hear(packed(odd)).tell

    for (gap,) in (of_an_element, of_a_frame):
        assert isinstance(gap, StreamGap)
        assert LONG_SECRET[:4] not in gap.raw


def test_no_piece_of_a_key_is_left_where_words_are_cut_i83() -> None:
    talk = DataConversation("stocks", "PKKEY", LONG_SECRET, CHANNELS, MINUTE)
    halt = HALT | {"rm": "x" * 270 + LONG_SECRET}

    heard = talk.hear(packed([{"T": "error", "code": 500, "msg": "x" * 290 + LONG_SECRET}]))
    (status,) = talk.hear(packed([halt])).tell

    assert LONG_SECRET[:4] not in str(heard.failure)
    assert LONG_SECRET[:4] not in status.reason


def heard_of(frame: Any) -> Heard:
    return conversation().hear(packed(frame))


class Following:
    """A conversation of contracts, logged in, and what is wanted of it."""

    def __init__(self, *contracts: str) -> None:
        self.contracts = contracts
        self.talk = DataConversation(
            "options", "KEY", "SECRET", Channels(), MINUTE, lambda: self.contracts
        )
        self.talk.hear(packed(CONNECTED))
        self.login = self.talk.hear(packed(AUTHENTICATED))

    def due(self, *contracts: str) -> list[object]:
        self.contracts = contracts
        return unpacked(self.talk.due())

    def acknowledge(self, *contracts: str) -> Heard:
        return self.talk.hear(
            packed([{"T": "subscription", "trades": [], "quotes": list(contracts)}])
        )


def test_nothing_to_follow_is_no_request_and_the_stream_is_live() -> None:
    it = Following()

    assert it.login == Heard(is_live=True)
    assert it.due() == []


def test_what_is_followed_is_subscribed_to_and_what_is_not_any_more_is_let_go() -> None:
    it = Following()

    first = it.due("A", "B")
    again = it.due("A", "B")
    other = it.due("B", "C")

    assert first == [{"action": "subscribe", "quotes": ["A", "B"]}]
    assert again == []
    assert other == [
        {"action": "unsubscribe", "quotes": ["A"]},
        {"action": "subscribe", "quotes": ["C"]},
    ]


def test_only_the_last_acknowledgement_is_held_against_what_is_wanted_i45() -> None:
    it = Following("A")
    it.due("A", "B")

    assert it.acknowledge("A") == Heard()
    assert it.acknowledge("A", "B") == Heard(is_live=True)
    it.due("A", "B", "C")
    lacking = it.acknowledge("A", "B")
    assert lacking.failure == "not subscribed to quotes of C"


def test_on_a_new_connection_all_that_is_followed_is_asked_for_at_once() -> None:
    it = Following("B", "A")

    assert unpacked(it.login.send) == [{"action": "subscribe", "quotes": ["A", "B"]}]
    assert it.login.is_live is False
