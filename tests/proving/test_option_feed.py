"""Streams and chains of a proved day: how they are when all is well, and when it is not."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hydra.actor import MINUTE, SECOND, Ref
from hydra.proving.option_feed import OptionFeed, OptionTrouble
from hydra.trading.option_rules import ChainContract
from hydra.trading.option_symbols import Right
from hydra.trading.quotes import Quote
from messages.market import QuoteReceived
from messages.message import Message
from messages.options import ChainNotRead, ChainQuestion, ChainRead
from messages.streams import StreamConnected, StreamLost
from supervisors import paths
from tests.actors.option_stage import CALL, contract

SHORTLY = SECOND // 5
"""A quote is on its way for so long."""
QUESTION = ChainQuestion(
    underlying="SPY",
    right=Right.CALL,
    first=date(2016, 4, 22),
    last=date(2016, 5, 30),
    strike_from=Decimal(85),
    strike_to=Decimal(115),
    reply_to="hydra/bots/opt_core",
    asked_by=1,
    number=7,
)


class Clock:
    """As much of a runtime as a feed needs; it keeps what is told, with when."""

    def __init__(self) -> None:
        self.at = 0
        self.told: list[tuple[int, str, Message]] = []
        self._due: list[tuple[int, int, Callable[[], None]]] = []

    def now(self) -> int:
        return self.at

    def tell(self, ref: Ref[Any], message: Message) -> None:
        self.told.append((self.at, ref.path, message))

    def call_later(self, delay: int, action: Callable[[], None]) -> None:
        self._due.append((self.at + delay, len(self._due), action))

    def run_to(self, until: int) -> None:
        while any(due <= until for due, _, _ in self._due):
            first = min(self._due)
            self._due.remove(first)
            self.at = first[0]
            first[2]()
        self.at = until


class Always:
    """One contract, always quoted."""

    def quote(self, symbol: str, at: int) -> Quote | None:
        return Quote(symbol, at, 1.98, 2.0, 1.0, 1.0)

    def listed(self, question: ChainQuestion, at: int) -> tuple[ChainContract, ...]:
        return (contract(CALL, quote=self.quote(CALL, at)),)


class Scene:
    def __init__(self) -> None:
        self.clock: Any = Clock()
        self.trouble = OptionTrouble()
        self.feed = OptionFeed(Always(), {"stocks": ("SPY",)}, self.trouble)

    def told(self, kind: type[Message]) -> list[Any]:
        return [message for _, _, message in self.clock.told if isinstance(message, kind)]

    def well(self) -> "Scene":
        """Connected, with a contract that is followed."""
        self.feed.begin(self.clock)
        self.feed.follow((CALL,))
        self.clock.run_to(MINUTE)
        self.clock.told.clear()
        return self


def test_streams_connect_a_moment_later_and_that_of_contracts_once_one_is_followed() -> None:
    it = Scene()
    it.feed.begin(it.clock)
    it.clock.run_to(MINUTE)
    before = it.told(StreamConnected)

    it.feed.follow((CALL,))
    it.clock.run_to(2 * MINUTE)

    connected = [StreamConnected(stream=each, connection=1) for each in ("stocks", "options")]
    assert (before, it.told(StreamConnected)) == (connected[:1], connected)


def test_what_was_wanted_before_it_began_is_connected_then() -> None:
    it = Scene()
    it.feed.follow((CALL,))
    it.feed.report()
    it.feed.begin(it.clock)
    it.clock.run_to(MINUTE)

    assert [each.stream for each in it.told(StreamConnected)] == ["stocks", "options"]


def test_what_is_followed_is_quoted_four_times_a_minute() -> None:
    it = Scene().well()

    it.clock.run_to(2 * MINUTE)

    quoted = [(at, message.quote.symbol) for at, _, message in it.clock.told]
    assert quoted == [(MINUTE + number * 15 * SECOND + SHORTLY, CALL) for number in range(4)]
    it.feed.follow(())
    it.clock.run_to(3 * MINUTE)
    assert len(it.told(QuoteReceived)) == 4


def test_who_asks_how_the_streams_are_is_told_once_more() -> None:
    it = Scene().well()

    it.feed.report()

    assert [message for _, _, message in it.clock.told] == [
        StreamConnected(stream="stocks", connection=1),
        StreamConnected(stream="options", connection=1),
    ]


def test_a_stream_that_is_renewed_is_lost_and_then_connected_for_a_second_time() -> None:
    it = Scene().well()

    it.feed.renew("stocks", "it is mute")
    it.feed.renew("stocks", "it is mute")  # it is on its way
    it.clock.run_to(MINUTE + 2 * SECOND)

    assert it.feed.renewed == ["stocks", "stocks"]
    assert [
        message for _, _, message in it.clock.told if not isinstance(message, QuoteReceived)
    ] == [
        StreamLost(stream="stocks", reason="it is mute"),
        StreamConnected(stream="stocks", connection=2),
    ]


def test_contracts_that_are_lost_are_quoted_again_when_their_stream_can_be_reached() -> None:
    it = Scene().well()
    it.trouble.lose(MINUTE + 25 * SECOND)

    it.feed.lose("options", "it was cut")
    it.clock.run_to(MINUTE + 25 * SECOND)
    while_lost = [type(message) for _, _, message in it.clock.told]
    it.clock.run_to(2 * MINUTE)

    assert while_lost == [StreamLost] * 4
    assert it.told(StreamConnected) == [StreamConnected(stream="options", connection=2)]
    assert [each.quote.at for each in it.told(QuoteReceived)] == [MINUTE + 45 * SECOND + SHORTLY]


def test_a_mute_stream_stays_connected_and_brings_nothing() -> None:
    it = Scene().well()
    it.trouble.mute(2 * MINUTE)

    it.clock.run_to(2 * MINUTE)

    assert it.clock.told == []


def test_quotes_lie_for_as_long_as_they_are_to_and_are_good_once_it_is_healed() -> None:
    it = Scene().well()
    it.trouble.lie("crossed", 3 * MINUTE)
    it.clock.run_to(2 * MINUTE)
    it.trouble.heal()
    it.clock.run_to(3 * MINUTE)

    prices = [(each.quote.bid, each.quote.ask) for each in it.told(QuoteReceived)]
    assert prices == [(2.0, 1.98)] * 4 + [(1.98, 2.0)] * 4


@pytest.mark.parametrize(
    ("how", "answers"),
    [
        ("", [("ChainRead", 1)]),
        ("unanswered", []),
        ("unread", [("ChainNotRead", 0)]),
        ("twice", [("ChainRead", 1), ("ChainRead", 1)]),
        ("empty", [("ChainRead", 0)]),
        ("late", []),
    ],
)
def test_a_question_is_answered_within_a_second_or_as_its_trouble_has_it(
    how: str, answers: list[tuple[str, int]]
) -> None:
    it = Scene().well()
    it.trouble.fail_chains(how, 2 * MINUTE)

    it.feed.ask(QUESTION)
    it.clock.run_to(MINUTE + SECOND)

    told = [
        message
        for _, path, message in it.clock.told
        if path == QUESTION.reply_to and isinstance(message, ChainRead | ChainNotRead)
    ]
    found = [(type(each).__name__, len(getattr(each, "contracts", ()))) for each in told]
    assert found == answers
    assert {(each.asked_by, each.number) for each in told} <= {(1, 7)}


def test_a_late_answer_comes_after_all_and_one_without_quotes_has_none() -> None:
    it = Scene().well()
    it.trouble.fail_chains("late", MINUTE + SECOND)
    it.feed.ask(QUESTION)
    it.clock.run_to(MINUTE + 11 * SECOND)
    in_time = it.told(ChainRead)
    it.trouble.fail_chains("unquoted", 2 * MINUTE)
    it.clock.run_to(MINUTE + 13 * SECOND)

    assert in_time == []
    (late,) = it.told(ChainRead)
    assert [each.quote for each in late.contracts] == [None]


def test_all_of_it_is_told_to_the_data_feed() -> None:
    it = Scene()
    it.feed.begin(it.clock)
    it.feed.follow((CALL,))
    it.clock.run_to(MINUTE)

    assert {path for _, path, _ in it.clock.told} == {paths.DATA_FEED.path}
