from random import Random

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)

from hydra.trading.cancels import CancelBook, Wanted
from hydra.trading.causes import (
    DAILY_LOSS,
    OPERATOR_HALT,
    STALE_SYMBOL,
    THROTTLE,
    CauseKind,
)
from hydra.trading.trading_state import Cause

SECOND = 1_000_000_000
AT = 1_460_727_000_000_000_000


def since(kind: CauseKind, subject: str = "") -> Cause:
    return kind.cause(since=AT, detail="a test", subject=subject)


HALT = [since(OPERATOR_HALT)]


def book_of(*names: str, per_minute: int = 120) -> CancelBook:
    book = CancelBook(per_minute)
    for name in names:
        book.entry_opened(name, "mom", "AAPL")
    return book


@pytest.mark.parametrize("kind", [OPERATOR_HALT, DAILY_LOSS])
def test_whatever_stops_entries_has_them_taken_out_i10(kind: CauseKind) -> None:
    book = book_of("one", "two")

    assert book.due([], AT) == ()
    assert book.due([since(kind)], AT) == ("one", "two")


@pytest.mark.parametrize(
    ("cause", "due"),
    [
        (since(STALE_SYMBOL, "AAPL"), ("mom AAPL", "cross AAPL")),
        (since(THROTTLE, "cross"), ("cross AAPL", "cross TSLA")),
    ],
)
def test_what_stops_one_symbol_or_bot_takes_out_its_entries_alone_i10(
    cause: Cause, due: tuple[str, ...]
) -> None:
    book = CancelBook(120)
    for bot in ("mom", "cross"):
        for symbol in ("AAPL", "TSLA"):
            book.entry_opened(f"{bot} {symbol}", bot, symbol)

    assert book.due([cause], AT) == due


def test_a_cancel_is_asked_for_every_five_seconds_until_the_order_has_ended_i10_i25() -> None:
    book = book_of("one")
    asked = [second for second in range(12) if book.due(HALT, AT + second * SECOND)]
    book.order_ended("one")

    assert asked == [0, 5, 10]
    assert book.due(HALT, AT + 15 * SECOND) == ()
    assert book.overdue(AT + 100 * SECOND) == ()


def test_an_order_that_comes_while_trading_is_stopped_is_taken_out_too_i10() -> None:
    book = book_of("one")
    book.due(HALT, AT)
    book.entry_opened("late", "mom", "AAPL")

    assert book.due(HALT, AT + SECOND) == ("late",)


def test_what_is_not_out_after_a_minute_is_told_i10() -> None:
    book = book_of("one")
    for second in range(60):
        book.due(HALT, AT + second * SECOND)

    assert book.overdue(AT + 60 * SECOND - 1) == ()
    assert book.overdue(AT + 60 * SECOND) == (
        Wanted(client_order_id="one", since=AT, requests=12, requested_at=AT + 55 * SECOND),
    )


def test_entries_that_may_work_again_are_left_alone_and_counted_anew_i10() -> None:
    book = book_of("one")
    book.due(HALT, AT)

    assert book.due([], AT + 59 * SECOND) == ()
    assert book.overdue(AT + 100 * SECOND) == ()
    assert book.due(HALT, AT + 60 * SECOND) == ("one",)
    assert book.overdue(AT + 119 * SECOND) == ()


def test_no_more_is_asked_for_than_the_allowance_of_a_minute_i36() -> None:
    book = book_of("one", "two", "three", per_minute=2)

    assert book.due(HALT, AT) == ("one", "two")
    assert book.due(HALT, AT + 59 * SECOND) == ()
    assert book.due(HALT, AT + 60 * SECOND) == ("three", "one")


def test_cancels_that_others_ask_for_use_the_same_allowance_i36() -> None:
    book = book_of("one", "two", per_minute=2)
    book.other_request_made(AT)
    book.other_request_made(AT)
    book.other_request_made(AT + SECOND)

    assert book.due(HALT, AT + SECOND) == ()
    assert book.due(HALT, AT + 60 * SECOND) == ("one",)


def test_a_clock_that_runs_backwards_holds_no_cancel_back_i10() -> None:
    book = book_of("one", per_minute=1)
    book.due(HALT, AT)

    assert book.due(HALT, AT - 1) == ("one",)
    assert book.overdue(AT - 1) != ()


def test_equal_events_make_equal_books_i10_i55() -> None:
    first, second = book_of("one"), book_of("one")

    assert first == second
    first.due(HALT, AT)
    assert first != second
    second.due(HALT, AT)
    assert first == second


@pytest.mark.parametrize("seed", range(20))
def test_after_a_kill_a_hundred_orders_are_out_or_told_within_a_minute_i10(seed: int) -> None:
    """Three of ten requests fail: the venue answers 429 or 500, and knows of nothing."""
    random = Random(seed)
    live = {f"order-{number}" for number in range(100)}
    book = book_of(*sorted(live))
    requests: list[tuple[int, str]] = []

    def play(seconds: range) -> None:
        for second in seconds:
            for name in book.due(HALT, AT + second * SECOND):
                requests.append((second, name))
                if random.random() >= 0.3:
                    live.remove(name)
                    book.order_ended(name)

    play(range(60))
    told = {wanted.client_order_id for wanted in book.overdue(AT + 60 * SECOND)}

    assert len({name for second, name in requests if second <= 5}) == 100
    assert told == live
    assert len(requests) == 120 or not live
    play(range(60, 120))
    assert live == set()


class EntriesBesideAKill(RuleBasedStateMachine):
    """Orders come and end, causes come and go; the judge is the list of requests."""

    def __init__(self) -> None:
        super().__init__()
        self.now = AT
        self.book = CancelBook(4)
        self.causes: list[Cause] = []
        self.live: list[str] = []
        self.opened = 0
        self.requests: list[tuple[int, str]] = []
        self.in_this_stop: list[tuple[int, str]] = []
        """Those since trading was last seen open."""

    @rule()
    def an_entry_opens(self) -> None:
        self.opened += 1
        self.live.append(f"order-{self.opened}")
        self.book.entry_opened(self.live[-1], "mom", "AAPL")

    @precondition(lambda self: self.live)
    @rule(number=st.integers(0, 100))
    def an_order_ends(self, number: int) -> None:
        self.book.order_ended(self.live.pop(number % len(self.live)))

    @rule(halted=st.sampled_from([True, True, True, False]))
    def trading_stops_or_opens(self, halted: bool) -> None:
        self.causes = HALT if halted else []

    @rule()
    def an_exit_ends(self) -> None:
        self.book.order_ended("an exit that the book was never told of")

    @rule(passing=st.sampled_from([0, SECOND, 5 * SECOND, 30 * SECOND]))
    def a_moment_later(self, passing: int) -> None:
        self.now += passing
        due = self.book.due(self.causes, self.now)

        assert set(due) <= set(self.live)
        if not self.causes:
            assert due == ()
            self.in_this_stop.clear()
        just_asked = {name for at, name in self.in_this_stop if self.now - at < 5 * SECOND}
        assert not set(due) & just_asked
        made = [(self.now, name) for name in due]
        self.requests += made
        self.in_this_stop += made
        lately = [name for at, name in self.requests if self.now - at < 60 * SECOND]
        assert len(lately) <= 4
        if self.causes and len(lately) < 4:
            assert set(self.live) <= just_asked | set(due)


def test_each_entry_is_asked_for_as_soon_and_as_often_as_is_allowed_i10_i36() -> None:
    run_state_machine_as_test(
        EntriesBesideAKill,
        settings=settings(
            max_examples=20,
            stateful_step_count=200,
            deadline=None,
            # To make two hundred steps fewer takes longer than a test may.
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
        ),
    )


def test_a_bot_s_wish_is_asked_for_once_in_five_seconds_and_again_then_i25() -> None:
    book = book_of()
    asked = [book.wish("one", AT + seconds * SECOND) for seconds in (0, 1, 4, 5, 6, 10)]

    assert asked == [True, False, False, True, False, True]


def test_wishes_and_halts_share_one_allowance_i36() -> None:
    book = book_of("entry", per_minute=3)

    wishes = [book.wish(name, AT) for name in ("one", "two", "three", "four")]
    due = book.due(HALT, AT + SECOND)

    assert wishes == [True, True, True, False]
    assert due == ()
    assert book.due(HALT, AT + 60 * SECOND) == ("entry",)


def test_a_wish_for_an_order_that_came_back_is_asked_for_at_once() -> None:
    book = book_of()
    book.wish("one", AT)

    book.order_ended("one")

    assert book.wish("one", AT + 1)
