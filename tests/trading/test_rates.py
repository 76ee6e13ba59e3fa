from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from msgspec import structs

from hydra.trading.orders import OrderType, Role, Side
from hydra.trading.rates import (
    KEPT_MAX,
    Attempts,
    CancelAttempt,
    OrderAttempt,
    RateEvent,
    RoundTrip,
    RoundTripsSeen,
    VenueAccepted,
    VenueRejected,
)
from hydra.trading.risk_checks import first_denial
from hydra.trading.sane_numbers import LIMIT_COUNT_MAX
from hydra.trading.situation import Proposal, RatesView
from tests.trading.situations import ENTRY, EXIT, LIMITS, MINUTE, MS, NOW, SECOND, changed

D = Decimal
TODAY, TOMORROW = "2024-01-03", "2024-01-04"

BUY = OrderAttempt(
    at=NOW,
    session=TODAY,
    bot=ENTRY.proposal.bot,
    symbol="AAPL",
    role=Role.ENTRY,
    side=Side.BUY,
    quantity=D(10),
    order_type=OrderType.MARKET,
    notional=D(1_000),
)
SELL = structs.replace(BUY, role=Role.EXIT, side=Side.SELL)
NOTHING = ENTRY.rates


def attempted(fine: OrderAttempt = BUY, **changes: Any) -> OrderAttempt:
    return structs.replace(fine, **changes)


def view(
    events: Iterable[RateEvent],
    at: int = NOW,
    session: str = TODAY,
    proposal: Proposal = ENTRY.proposal,
) -> RatesView:
    return Attempts.recovered(events).view(proposal, LIMITS, at, session)


def test_a_book_without_attempts_shows_none() -> None:
    assert view([]) == NOTHING


def test_an_entry_counts_the_moment_it_is_attempted_i36() -> None:
    assert view([BUY]) == structs.replace(
        NOTHING,
        entries_last_minute=1,
        entries_last_minute_symbol=1,
        notional_in_window=D(1_000),
        entries_today=1,
        notional_today=D(1_000),
        last_entry_at=NOW,
        last_similar_at=NOW,
        bot_entries_today=1,
    )


def test_a_rejected_entry_has_been_attempted_all_the_same_i36() -> None:
    assert view([BUY, VenueRejected("AAPL")]) == structs.replace(view([BUY]), rejections_in_a_row=1)


@pytest.mark.parametrize("role", [Role.EXIT, Role.FLATTEN])
def test_an_exit_uses_up_nothing_of_what_entries_are_allowed_i36(role: Role) -> None:
    assert view([attempted(SELL, role=role)]) == structs.replace(NOTHING, exits_last_minute=1)


def test_an_entry_uses_up_nothing_of_what_exits_and_cancels_are_allowed_i36() -> None:
    book = Attempts.recovered([BUY] * 1_000)

    assert book.view(EXIT.proposal, LIMITS, NOW, TODAY).exits_last_minute == 0
    assert book.cancels_last_minute(NOW) == 0


def test_a_bot_that_never_stops_deciding_gets_the_rate_and_can_still_leave_i36() -> None:
    """A thousand entries a second are asked for, over two minutes."""
    book, sent = Attempts(), []
    for tick in range(0, 2 * MINUTE, SECOND // 10):
        at = NOW + tick
        wish = changed(ENTRY, at=at, decided_at=at, price_at=at, quantity=D(1 + tick % 97))
        rates_now = book.view(wish.proposal, LIMITS, at, TODAY)
        if first_denial(structs.replace(wish, rates=rates_now)) is None:
            book.note(attempted(at=at, quantity=wish.proposal.quantity, notional=D(1)))
            sent.append(at)

    assert all(sum(at <= other < at + MINUTE for other in sent) <= 6 for at in sent)
    assert len(sent) == 12
    leaving = structs.replace(EXIT, rates=book.view(EXIT.proposal, LIMITS, NOW, TODAY))
    assert first_denial(leaving) is None


def test_entries_in_other_symbols_and_of_other_bots_count_for_all_of_them_i36() -> None:
    others = [attempted(symbol="MSFT"), attempted(bot="mom_MSFT")]

    assert view(others) == structs.replace(
        NOTHING,
        entries_last_minute=2,
        entries_last_minute_symbol=1,
        notional_in_window=D(2_000),
        entries_today=2,
        notional_today=D(2_000),
        last_entry_at=NOW,
        bot_entries_today=1,
    )
    in_msft = structs.replace(ENTRY.proposal, symbol="MSFT")
    twice = view([*others, *others[:1]], proposal=in_msft)
    assert (twice.entries_last_minute, twice.entries_last_minute_symbol) == (3, 2)


@pytest.mark.parametrize(
    ("field", "events", "window"),
    [
        ("entries_last_minute", [BUY], MINUTE),
        ("entries_last_minute_symbol", [BUY], MINUTE),
        ("exits_last_minute", [SELL], MINUTE),
        ("notional_in_window", [BUY], LIMITS.notional_window_ns),
    ],
)
def test_an_attempt_counts_until_its_window_has_passed_i36(
    field: str, events: list[RateEvent], window: int
) -> None:
    def shown(at: int) -> object:
        return getattr(view(events, at=at), field)

    assert shown(NOW) == shown(NOW + window - 1) != 0
    assert shown(NOW + window) == shown(NOW + window + 1) == 0


def test_a_cancel_counts_for_a_minute_i36() -> None:
    book = Attempts.recovered([CancelAttempt(NOW), CancelAttempt(NOW + SECOND)])

    counts = [
        book.cancels_last_minute(NOW + after) for after in (0, MINUTE - 1, MINUTE, 2 * MINUTE)
    ]

    assert counts == [2, 2, 1, 0]


def test_what_lies_in_the_future_counts_however_far_time_went_back_i36() -> None:
    events: list[RateEvent] = [BUY, SELL, CancelAttempt(NOW)]
    earlier = NOW - 10 * 365 * 86_400 * SECOND

    assert view(events, at=earlier) == view(events)
    assert Attempts.recovered(events).cancels_last_minute(earlier) == 1


def test_attempts_after_time_went_back_count_for_their_own_minute_i36() -> None:
    before, after = attempted(at=NOW), attempted(at=NOW - 30 * SECOND)

    counts = [
        view([before, after], at=NOW + later).entries_last_minute
        for later in (-30 * SECOND, 30 * SECOND - 1, 30 * SECOND, MINUTE)
    ]

    assert counts == [2, 2, 1, 0]


LIKE_NO_OTHER: list[dict[str, Any]] = [
    {"bot": "other"},
    {"symbol": "MSFT"},
    {"side": Side.SELL},
    {"quantity": D("10.000000001")},
    {"order_type": OrderType.LIMIT},
]


@pytest.mark.parametrize("difference", LIKE_NO_OTHER, ids=repr)
def test_orders_that_differ_are_not_alike_i16(difference: dict[str, Any]) -> None:
    assert view([attempted(**difference)]).last_similar_at is None


@pytest.mark.parametrize("role", Role)
def test_orders_alike_are_alike_whatever_they_are_for_i16(role: Role) -> None:
    events = [
        attempted(at=NOW - 3 * SECOND, role=role),
        attempted(at=NOW - SECOND, role=role, quantity=D("10.0")),
        attempted(at=NOW, role=role, quantity=D(11)),
    ]

    assert view(events).last_similar_at == NOW - SECOND
    assert view(events, at=NOW + 4 * SECOND - 1).last_similar_at == NOW - SECOND
    assert view(events, at=NOW + 4 * SECOND).last_similar_at is None


def test_the_last_entry_is_the_bots_own_and_the_latest_in_time_i36() -> None:
    events = [attempted(at=NOW), attempted(at=NOW - SECOND), attempted(at=NOW + 1, bot="other")]

    assert view([*events, attempted(SELL, at=NOW + 2)]).last_entry_at == NOW


def test_round_trips_that_a_person_has_looked_into_count_no_more_i39() -> None:
    trip, day = RoundTrip("one", "2024-03-06"), "2024-03-06"
    attempts = Attempts.recovered([trip, trip, trip, RoundTrip("two", day)])

    seen = attempts.see_round_trips("one", day)
    attempts.note(trip)

    assert seen == RoundTripsSeen("one", day, 3)
    assert [attempts.round_trips(bot, day) for bot in ("one", "two")] == [1, 1]
    recovered = Attempts.recovered([*[trip] * 4, seen])
    assert recovered.round_trips("one", day) == 1
    assert recovered.round_trips("one", "2024-03-07") == 0


def test_rejections_in_a_row_are_those_since_the_symbol_was_last_accepted_i39() -> None:
    events: list[RateEvent] = []
    counts = []
    for event in (
        VenueRejected("AAPL"),
        VenueRejected("MSFT"),
        VenueAccepted("MSFT"),
        VenueRejected("AAPL"),
        VenueAccepted("AAPL"),
        VenueRejected("AAPL"),
    ):
        events.append(event)
        counts.append(view(events).rejections_in_a_row)

    assert counts == [1, 1, 1, 2, 0, 1]
    assert Attempts.recovered(events).rejections("AAPL") == 1
    assert Attempts.recovered(events).rejections("MSFT") == 0


def test_round_trips_are_counted_for_each_bot_i39() -> None:
    bot = ENTRY.proposal.bot
    events = [RoundTrip(bot, TODAY), RoundTrip("other", TODAY), RoundTrip(bot, TODAY)]
    book = Attempts.recovered(events)

    assert view(events).round_trips_today == book.round_trips(bot, TODAY) == 2
    assert book.round_trips("other", TODAY) == 1
    assert book.round_trips(bot, TOMORROW) == 0


# --- The day

DAYS_WORK: list[RateEvent] = [BUY, RoundTrip(BUY.bot, TODAY)]


def counted_today(shown: RatesView) -> tuple[int, Decimal, int]:
    return shown.entries_today, shown.notional_today, shown.round_trips_today


def test_a_later_session_begins_with_nothing_and_keeps_the_windows_i38() -> None:
    midnight = view(DAYS_WORK, session=TOMORROW)

    assert counted_today(midnight) == (0, D(0), 0)
    assert (midnight.entries_last_minute, midnight.notional_in_window) == (1, D(1_000))


@pytest.mark.parametrize("first", [attempted(session=TOMORROW), RoundTrip("other", TOMORROW)])
def test_the_first_event_of_a_later_session_ends_the_one_before_i38(first: RateEvent) -> None:
    alone = view([first], session=TOMORROW)

    assert counted_today(view([*DAYS_WORK, first], session=TOMORROW)) == counted_today(alone)


def test_a_day_that_went_back_does_not_give_its_entries_again_i38() -> None:
    events = [attempted(session=TOMORROW), *DAYS_WORK]

    assert counted_today(view(events, session=TODAY)) == (2, D(2_000), 1)
    assert counted_today(view(events, session="")) == (2, D(2_000), 1)
    assert counted_today(view(events, session=TOMORROW)) == (2, D(2_000), 1)


# --- Bounded, and toward "too many"


def test_the_book_keeps_more_attempts_than_any_limit_allows_i36() -> None:
    assert KEPT_MAX > LIMIT_COUNT_MAX


def test_what_is_forgotten_is_counted_for_ever_rather_than_not_at_all_i36() -> None:
    book = Attempts()
    for number in range(KEPT_MAX + 15):
        at = NOW + number * MS
        for event in (attempted(at=at), attempted(SELL, at=at), CancelAttempt(at)):
            book.note(event)
    # One of before all that are kept: it is forgotten at once, but not what it was worth.
    book.note(attempted(at=NOW - 1))

    def shown(at: int) -> tuple[int, int, int, Decimal]:
        now = book.view(ENTRY.proposal, LIMITS, at, TODAY)
        cancels = book.cancels_last_minute(at)
        return now.entries_last_minute, now.exits_last_minute, cancels, now.notional_in_window

    first_kept = NOW + 15 * MS
    window = LIMITS.notional_window_ns
    everything = 1_000 * D(KEPT_MAX + 16)
    assert shown(NOW) == (KEPT_MAX, KEPT_MAX, KEPT_MAX, everything)
    assert shown(first_kept + MINUTE)[:3] == (KEPT_MAX - 1, KEPT_MAX - 1, KEPT_MAX - 1)
    assert shown(first_kept + window - 1) == (0, 0, 0, everything)
    assert shown(first_kept + window) == (0, 0, 0, 1_000 * D(KEPT_MAX - 1))


# --- Whatever happens, in whatever order

INSTANTS = st.integers(0, 40).map(lambda step: NOW + step * 7 * SECOND)
BOTS, SYMBOLS = st.sampled_from(["mom_AAPL", "other"]), st.sampled_from(["AAPL", "MSFT"])
SESSIONS = st.sampled_from([TODAY, TOMORROW])
ORDERS = st.builds(
    OrderAttempt,
    at=INSTANTS,
    session=st.just(TODAY),
    bot=BOTS,
    symbol=SYMBOLS,
    role=st.sampled_from(Role),
    side=st.sampled_from(Side),
    quantity=st.sampled_from([D(10), D(11)]),
    order_type=st.sampled_from([OrderType.MARKET, OrderType.LIMIT]),
    notional=st.decimals(1, 5_000, places=2),
)
EVENTS = (
    ORDERS
    | st.builds(attempted, ORDERS, session=SESSIONS)
    | st.builds(CancelAttempt, INSTANTS)
    | st.builds(VenueAccepted, SYMBOLS)
    | st.builds(VenueRejected, SYMBOLS)
    | st.builds(RoundTrip, BOTS, SESSIONS)
)


def reckoned(events: list[RateEvent], at: int, session: str) -> RatesView:
    """The same view, reckoned from the whole history each time, as plainly as it gets."""
    orders = [event for event in events if isinstance(event, OrderAttempt)]
    entries = [order for order in orders if order.role is Role.ENTRY]
    proposal = ENTRY.proposal
    last_minute = [order for order in entries if at - order.at < MINUTE]
    window = [order for order in entries if at - order.at < LIMITS.notional_window_ns]
    similar = [
        order.at
        for order in orders
        if at - order.at < LIMITS.similar_order_ns
        and (order.bot, order.symbol) == (proposal.bot, proposal.symbol)
        and (order.side, order.quantity) == (proposal.side, proposal.quantity)
        and order.order_type is proposal.order_type
    ]
    answers = [
        isinstance(event, VenueRejected)
        for event in events
        if isinstance(event, VenueAccepted | VenueRejected) and event.symbol == proposal.symbol
    ]
    last_accepted = max((place for place, bad in enumerate(answers) if not bad), default=-1)
    days = [
        event
        for event in events
        if isinstance(event, RoundTrip)
        or (isinstance(event, OrderAttempt) and event.role is Role.ENTRY)
    ]
    # A later session begins anew; what is told of an earlier one after that counts for the later.
    latest = max([event.session for event in days], default="")
    begun = next((n for n, event in enumerate(days) if event.session == latest), len(days))
    today = days[begun:] if session <= latest else []
    entries_today = [event for event in today if isinstance(event, OrderAttempt)]
    trips = [e for e in today if isinstance(e, RoundTrip) and e.bot == proposal.bot]
    return RatesView(
        entries_last_minute=len(last_minute),
        entries_last_minute_symbol=sum(o.symbol == proposal.symbol for o in last_minute),
        exits_last_minute=sum(o.role is not Role.ENTRY and at - o.at < MINUTE for o in orders),
        notional_in_window=sum((order.notional for order in window), D(0)),
        entries_today=len(entries_today),
        notional_today=sum((event.notional for event in entries_today), D(0)),
        last_entry_at=max((o.at for o in entries if o.bot == proposal.bot), default=None),
        last_similar_at=max(similar, default=None),
        rejections_in_a_row=len(answers) - 1 - last_accepted,
        round_trips_today=len(trips),
        bot_entries_today=sum(event.bot == proposal.bot for event in entries_today),
    )


class BookBesideItsHistory(RuleBasedStateMachine):
    """Time jumps as it likes, the process may end at any step, and every look gives the truth."""

    def __init__(self) -> None:
        super().__init__()
        self.history: list[RateEvent] = []
        self.book = Attempts()
        self.at = NOW
        self.session = TODAY

    @rule(event=EVENTS)
    def happens(self, event: RateEvent) -> None:
        self.history.append(event)
        self.book.note(event)

    @rule(at=INSTANTS, session=SESSIONS)
    def time_jumps(self, at: int, session: str) -> None:
        self.at, self.session = at, session

    @rule()
    def the_process_is_killed_and_starts_again(self) -> None:
        self.book = Attempts.recovered(self.history)

    @invariant()
    def what_is_shown_is_what_happened(self) -> None:
        shown = self.book.view(ENTRY.proposal, LIMITS, self.at, self.session)
        assert shown == reckoned(self.history, self.at, self.session)
        cancels = [event.at for event in self.history if isinstance(event, CancelAttempt)]
        wanted = sum(self.at - cancel < MINUTE for cancel in cancels)
        assert self.book.cancels_last_minute(self.at) == wanted


def test_a_recovered_book_shows_what_the_one_that_lived_through_it_shows_i36_i38() -> None:
    run_state_machine_as_test(
        BookBesideItsHistory, settings=settings(max_examples=8, stateful_step_count=200)
    )


@given(orders=st.lists(ORDERS, max_size=30), at=INSTANTS, data=st.data())
def test_the_order_in_which_attempts_are_told_makes_no_difference_i24_i38(
    orders: list[OrderAttempt], at: int, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(orders))

    assert view(shuffled, at=at) == view(orders, at=at)


@given(events=st.lists(EVENTS, max_size=30), at=INSTANTS)
def test_looking_changes_nothing_i38(events: list[RateEvent], at: int) -> None:
    book = Attempts.recovered(events)

    first = book.view(ENTRY.proposal, LIMITS, at, TOMORROW)
    book.view(EXIT.proposal, LIMITS, at + MINUTE, TODAY)

    assert book.view(ENTRY.proposal, LIMITS, at, TOMORROW) == first


@given(events=st.lists(EVENTS, max_size=30), more=ORDERS, at=INSTANTS)
def test_one_more_attempt_never_leaves_more_room_i36(
    events: list[RateEvent], more: OrderAttempt, at: int
) -> None:
    amounts: list[Callable[[RatesView], Any]] = [
        lambda shown: shown.entries_last_minute,
        lambda shown: shown.entries_last_minute_symbol,
        lambda shown: shown.exits_last_minute,
        lambda shown: shown.notional_in_window,
        lambda shown: shown.last_entry_at or 0,
        lambda shown: shown.last_similar_at or 0,
    ]
    before, after = view(events, at=at), view([*events, more], at=at)

    assert all(amount(after) >= amount(before) for amount in amounts)
