from typing import Any

import pytest

from hydra.trading.orders import Denial, Role
from hydra.trading.risk_checks import first_denial
from hydra.trading.situation import Situation
from tests.trading.situations import (
    ENTRY,
    EXIT,
    FLATTEN,
    NOW,
    SECOND,
    SHORT_ENTRY,
    SHORT_EXIT,
    STOP_EXIT,
    D,
    changed,
)

REDUCING = [EXIT, SHORT_EXIT, STOP_EXIT, FLATTEN]

# The field; how many there may have been, how many are one too many; what denies that.
COUNTS: list[tuple[str, int, Denial]] = [
    (
        "rejections_in_a_row",
        3,
        Denial("rejections_are_within_limit", "3 rejections in a row in AAPL, at most 3 allowed"),
    ),
    (
        "entries_last_minute",
        10,
        Denial("entry_rate_is_within_limit", "10 entries in the last minute, at most 10 allowed"),
    ),
    (
        "entries_last_minute_symbol",
        6,
        Denial(
            "symbol_entry_rate_is_within_limit",
            "6 entries in AAPL in the last minute, at most 6 allowed",
        ),
    ),
    (
        "entries_today",
        50,
        Denial("entries_today_are_within_limit", "50 entries today, at most 50 allowed"),
    ),
    (
        "round_trips_today",
        20,
        Denial(
            "round_trips_are_within_limit", "20 round trips of the bot today, at most 20 allowed"
        ),
    ),
]


@pytest.mark.parametrize(
    ("field", "one_too_many", "denial"), COUNTS, ids=[row[0] for row in COUNTS]
)
@pytest.mark.parametrize("fine", [ENTRY, SHORT_ENTRY])
def test_an_entry_may_be_the_last_one_allowed_and_not_the_next_i36_i39(
    fine: Situation, field: str, one_too_many: int, denial: Denial
) -> None:
    assert first_denial(changed(fine, **{field: one_too_many - 1})) is None
    assert first_denial(changed(fine, **{field: one_too_many})) == denial
    assert first_denial(changed(fine, **{field: one_too_many + 1})) is not None


@pytest.mark.parametrize("fine", REDUCING)
def test_exits_have_a_rate_of_their_own_i36(fine: Situation) -> None:
    assert first_denial(changed(fine, exits_last_minute=119)) is None
    assert first_denial(changed(fine, exits_last_minute=120)) == Denial(
        "exit_rate_is_within_limit", "120 exits in the last minute, at most 120 allowed"
    )


def test_exits_use_up_nothing_of_what_entries_are_allowed_i36() -> None:
    assert first_denial(changed(ENTRY, exits_last_minute=10**6)) is None


@pytest.mark.parametrize("fine", REDUCING)
@pytest.mark.parametrize(
    "changes",
    [
        {"rejections_in_a_row": 10**6},
        {"entries_last_minute": 10**6},
        {"entries_last_minute_symbol": 10**6},
        {"entries_today": 10**6},
        {"notional_in_window": D(10**9)},
        {"notional_today": D(10**9)},
        {"last_entry_at": NOW},
        {"last_entry_at": NOW + 10**18},
        {"last_similar_at": NOW},
        {"round_trips_today": 10**6},
    ],
    ids=repr,
)
def test_entries_use_up_nothing_of_what_exits_are_allowed_i36(
    fine: Situation, changes: dict[str, Any]
) -> None:
    assert first_denial(changed(fine, **changes)) is None


@pytest.mark.parametrize(
    ("field", "check", "what", "allowed"),
    [
        (
            "notional_in_window",
            "window_notional_is_within_limit",
            "entries within the window",
            20_000,
        ),
        ("notional_today", "notional_today_is_within_limit", "entries today", 50_000),
    ],
)
def test_this_entry_is_worth_no_more_than_is_left_i36(
    field: str, check: str, what: str, allowed: int
) -> None:
    fine = changed(ENTRY, price=D(100), reference_price=D(100), protective_stop=D(99))

    for found in (allowed - 1_001, allowed - 1_000):
        assert first_denial(changed(fine, **{field: D(found)})) is None
    assert first_denial(changed(fine, **{field: D(f"{allowed - 1_000}.01")})) == Denial(
        check,
        f"{what} are worth {allowed - 1_000}.01 USD, 1000 USD more make more than {allowed} USD",
    )


@pytest.mark.parametrize(
    ("ago_ns", "words"),
    [
        (SECOND + 1, None),
        (SECOND, None),
        (SECOND - 1, "999.999999 ms ago"),
        (0, "0 ms ago"),
        (-60 * SECOND, "60000 ms from now (market time went backwards)"),
    ],
)
def test_a_bot_keeps_its_gap_between_two_entries_i36(ago_ns: int, words: str | None) -> None:
    denial = first_denial(changed(ENTRY, last_entry_at=NOW - ago_ns))

    wanted = Denial(
        "entry_gap_is_kept", f"the bot's last entry was {words}, at least 1000 ms wanted"
    )
    assert denial == (wanted if words else None)


ALIKE = "an order like it was sent {}, at least 5000 ms wanted"


@pytest.mark.parametrize(
    ("ago_ns", "words"),
    [
        (5 * SECOND + 1, None),
        (5 * SECOND, None),
        (5 * SECOND - 1, "4999.999999 ms ago"),
        (0, "0 ms ago"),
        (-60 * SECOND, "60000 ms from now (market time went backwards)"),
    ],
)
@pytest.mark.parametrize("fine", [ENTRY, changed(EXIT, quantity=D(4), bot_reducing_live=D(4))])
def test_two_orders_alike_within_seconds_are_one_mistake_i16(
    fine: Situation, ago_ns: int, words: str | None
) -> None:
    denial = first_denial(changed(fine, last_similar_at=NOW - ago_ns))

    wanted = Denial("order_is_not_repeated", ALIKE.format(words))
    assert denial == (wanted if words else None)


def test_an_exit_may_be_tried_again_once_the_one_before_it_has_ended_i16() -> None:
    """Rejected, canceled or filled: what is left of the position is proven, and wants closing."""
    second = changed(EXIT, last_similar_at=NOW - SECOND)

    assert first_denial(second) is None
    assert first_denial(changed(second, bot_reducing_live=D(1), quantity=D(9))) == Denial(
        "order_is_not_repeated", ALIKE.format("1000 ms ago")
    )


def test_an_exit_that_the_venue_refuses_again_and_again_waits_and_a_flatten_does_not_i36() -> None:
    refused = changed(EXIT, last_similar_at=NOW - SECOND, rejections_in_a_row=3)

    denied = Denial("order_is_not_repeated", ALIKE.format("1000 ms ago"))
    assert first_denial(refused) == denied
    assert first_denial(changed(refused, rejections_in_a_row=2)) is None
    assert first_denial(changed(refused, last_similar_at=NOW - 5 * SECOND)) is None
    assert first_denial(changed(refused, role=Role.FLATTEN)) is None


def test_an_exit_may_take_the_place_of_its_like_but_an_entry_not_so_soon_i16_i26() -> None:
    moved_stop = changed(
        STOP_EXIT, quantity=D(5), bot_reducing_live=D(5), last_similar_at=NOW, replaces="hy1-a"
    )

    assert first_denial(moved_stop) is None
    assert first_denial(changed(moved_stop, replaces=None)) is not None
    assert first_denial(changed(ENTRY, last_similar_at=NOW, replaces="hy1-a")) is not None
