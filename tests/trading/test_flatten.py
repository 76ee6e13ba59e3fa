"""Examples of every step; test_flatten_machine.py plays them beside a venue."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec
import pytest

from hydra.trading.closing import Close, Holding
from hydra.trading.flatten import FlattenState, Phase, after
from hydra.trading.flatten_events import (
    Asked,
    CancelAll,
    CloseEnded,
    Done,
    Effect,
    Event,
    Failed,
    LatchPause,
    Opened,
    Paused,
    ReadAccount,
    ReadingFailed,
    Restarted,
    Snapshot,
    Tick,
    Waits,
    Withdrawn,
)
from hydra.trading.trading_state import TradingState

SECOND = 1_000_000_000
ACTIVE, CLOSE_ONLY, HALTED = TradingState


class Flattening:
    """A flatten that is kept on record: every event finds it as it was written down."""

    def __init__(self) -> None:
        self.state = FlattenState()

    def hears(self, event: Event) -> tuple[Effect, ...]:
        self.state, effects = after(self.state, event)
        written = msgspec.json.encode(self.state)
        self.state = msgspec.json.decode(written, type=FlattenState)
        return effects

    def reads(
        self,
        *open_orders: str,
        now: float,
        held: Sequence[str] = (),
        closed: Sequence[str] = (),
        kept: tuple[str, ...] = (),
    ) -> tuple[Effect, ...]:
        """The answer to the last reading. "mom 10 AAPL": the bot mom holds 10 AAPL. `closed`: the
        symbols whose market is.
        """
        holdings = []
        for text in held:
            bot, quantity, symbol = text.split()
            position = Decimal(quantity)
            of_bots = ((bot, position),) if bot != "nobody" else ()
            is_open = symbol not in closed
            holdings.append(
                Holding(symbol=symbol, at_venue=position, of_bots=of_bots, is_market_open=is_open)
            )
        return self.hears(
            Snapshot(
                number=self.state.reading,
                open_orders=open_orders,
                kept=kept,
                holdings=tuple(holdings),
                now=at(now),
            )
        )

    def ticks(self, now: float) -> tuple[Effect, ...]:
        return self.hears(Tick(at(now)))

    def ended(self, close: Close, now: float, refused: str = "") -> tuple[Effect, ...]:
        return self.hears(
            CloseEnded(
                bot=close.bot,
                symbol=close.symbol,
                number=close.number,
                now=at(now),
                refused=refused,
            )
        )


def at(seconds: float) -> int:
    return int(seconds * SECOND)


def asked(pause: TradingState = CLOSE_ONLY, now: float = 0) -> Asked:
    return Asked(reason="smoke", operator="ann", pause=pause, now=at(now))


def close(bot: str, symbol: str, quantity: str, number: int = 1) -> Close:
    return Close(bot=bot, symbol=symbol, quantity=Decimal(quantity), number=number)


def paused() -> Flattening:
    """Asked for at second 0, paused at second 1; the first reading is out."""
    flatten = Flattening()
    flatten.hears(asked())
    flatten.hears(Paused(at(1)))
    return flatten


def closing(*held: str) -> tuple[Flattening, tuple[Effect, ...]]:
    """No orders are open: it has read twice in second 1, and these are the closing orders."""
    flatten = paused()
    flatten.reads(now=1, held=held)
    return flatten, flatten.reads(now=1, held=held)


def test_a_flatten_pauses_cancels_closes_and_verifies_i01() -> None:
    flatten = Flattening()
    told: list[tuple[Phase, tuple[Effect, ...]]] = []

    def note(effects: tuple[Effect, ...]) -> None:
        told.append((flatten.state.phase, effects))

    note(flatten.hears(asked()))
    note(flatten.hears(Paused(at(1))))
    note(flatten.reads("stop", "entry", now=1, held=["mom 10 AAPL", "mom -5 TSLA"]))
    note(flatten.ticks(3))
    note(flatten.reads(now=3, held=["mom 10 AAPL", "mom -5 TSLA"]))
    note(flatten.reads(now=3, held=["mom 12 AAPL", "mom -5 TSLA"]))
    note(flatten.ended(close("mom", "TSLA", "5"), 4))
    note(flatten.reads(now=4, held=["mom 12 AAPL"]))
    note(flatten.ended(close("mom", "AAPL", "-12", 2), 5))
    note(flatten.reads(now=5))
    note(flatten.ticks(7))
    note(flatten.reads(now=7))
    note(flatten.ticks(9))

    assert told == [
        (Phase.PAUSING, (LatchPause(CLOSE_ONLY, "smoke", "ann"),)),
        (Phase.CANCELING, (ReadAccount(1),)),
        (Phase.CANCELING, (CancelAll(("stop", "entry")),)),
        (Phase.CANCELING, (ReadAccount(2),)),
        (Phase.CLOSING, (ReadAccount(3),)),
        (Phase.CLOSING, (close("mom", "TSLA", "5"),)),
        (Phase.CLOSING, (ReadAccount(4),)),
        (Phase.CLOSING, (close("mom", "AAPL", "-12", 2),)),
        (Phase.CLOSING, (ReadAccount(5),)),
        (Phase.VERIFYING, ()),
        (Phase.VERIFYING, (ReadAccount(6),)),
        (Phase.FLAT, (Done(()),)),
        (Phase.FLAT, ()),
    ]


def test_nothing_happens_unless_an_operator_asks_i01() -> None:
    flatten = Flattening()
    snapshot = Snapshot(number=0, open_orders=("entry",), holdings=(), now=0)

    for event in (Paused(0), snapshot, Tick(at(100)), Restarted(0), ReadingFailed(0, 0)):
        assert flatten.hears(event) == ()
    assert flatten.state == FlattenState()


def test_nothing_is_canceled_or_closed_before_the_pause_is_on_record_i01() -> None:
    flatten = Flattening()
    flatten.hears(asked())

    assert flatten.reads("entry", now=1, held=["mom 10 AAPL"]) == ()
    assert flatten.ticks(100) == ()
    assert flatten.hears(ReadingFailed(0, at(101))) == ()
    assert flatten.state.phase is Phase.PAUSING


@pytest.mark.parametrize(
    ("wanted", "latched"), [(ACTIVE, CLOSE_ONLY), (CLOSE_ONLY, CLOSE_ONLY), (HALTED, HALTED)]
)
def test_the_pause_is_close_only_at_least_i07(wanted: TradingState, latched: TradingState) -> None:
    assert Flattening().hears(asked(wanted)) == (LatchPause(latched, "smoke", "ann"),)


def test_asked_again_it_goes_on_and_can_only_pause_more_i07() -> None:
    flatten, _ = closing("mom 10 AAPL")

    same = flatten.hears(asked(now=2))
    worse = flatten.hears(Asked(reason="fire", operator="bob", pause=HALTED, now=at(2)))
    again = flatten.hears(asked(now=3))

    assert (same, worse, again) == ((), (LatchPause(HALTED, "fire", "bob"),), ())
    assert (flatten.state.phase, flatten.state.pause) == (Phase.CLOSING, HALTED)
    assert flatten.hears(Paused(at(4))) == ()


def test_cancels_are_asked_for_again_every_five_seconds_and_never_given_up_i10_i25() -> None:
    flatten = paused()
    flatten.reads("stuck", "stop", now=1)
    canceled: dict[int, tuple[str, ...]] = {}
    for second in range(2, 1_000):
        for effect in flatten.ticks(second):
            match effect:
                case CancelAll(names):
                    canceled[second] = names
                case ReadAccount():
                    flatten.reads("stuck", now=second)
                case _:
                    pytest.fail(f"{effect} beside an open order")

    assert canceled == dict.fromkeys(range(6, 1_000, 5), ("stuck",))
    assert (flatten.state.phase, flatten.state.detail) == (
        Phase.CANCELING,
        "open orders: stuck",
    )


def test_cancels_go_on_while_the_account_cannot_be_read_i10() -> None:
    flatten = paused()
    flatten.reads("stuck", now=1)
    flatten.ticks(3)

    assert flatten.ticks(6) == (CancelAll(("stuck",)),)
    assert flatten.ticks(33) == (CancelAll(("stuck",)), ReadAccount(3))


def test_an_order_that_shows_up_while_closing_is_canceled_first() -> None:
    flatten, (sell,) = closing("mom 10 AAPL")
    assert isinstance(sell, Close)
    flatten.ended(sell, 2)

    assert flatten.reads("late", now=2, held=["mom 10 AAPL"]) == (CancelAll(("late",)),)
    assert flatten.state.phase is Phase.CANCELING


def test_the_account_is_read_every_two_seconds_after_an_answer() -> None:
    flatten = paused()
    flatten.reads("stuck", now=2)

    assert flatten.ticks(3.9) == ()
    assert flatten.ticks(4) == (ReadAccount(2),)


def test_a_reading_without_an_answer_is_repeated_and_its_answer_no_longer_counts() -> None:
    flatten = paused()

    assert flatten.ticks(30.9) == ()
    assert flatten.ticks(31) == (ReadAccount(2),)
    late = Snapshot(number=1, open_orders=("entry",), holdings=(), now=at(32))
    assert flatten.hears(late) == ()
    assert flatten.reads("entry", now=33) == (CancelAll(("entry",)),)


def test_a_reading_that_failed_is_repeated() -> None:
    flatten = paused()

    assert flatten.hears(ReadingFailed(1, at(5))) == ()
    assert flatten.ticks(6.9) == ()
    assert flatten.ticks(7) == (ReadAccount(2),)
    assert flatten.hears(ReadingFailed(1, at(7))) == ()
    assert flatten.ticks(9) == ()


def test_an_answer_that_comes_twice_counts_once_i16_i24() -> None:
    flatten, (sell,) = closing("mom 10 AAPL")
    assert isinstance(sell, Close)

    assert flatten.reads(now=1, held=["mom 10 AAPL"]) == ()
    assert flatten.ended(sell, 2) == (ReadAccount(3),)
    assert flatten.ended(sell, 2) == ()


def test_a_late_answer_does_not_close_again_what_was_closed_i16() -> None:
    flatten, (sell,) = closing("mom 10 AAPL")
    assert isinstance(sell, Close)
    flatten.ended(sell, 2)

    stale = Holding(symbol="AAPL", at_venue=Decimal(10), of_bots=(("mom", Decimal(10)),))
    late = Snapshot(number=2, open_orders=(), holdings=(stale,), now=at(2))

    assert flatten.hears(late) == ()


def test_buys_come_first_and_sells_when_they_have_ended_i42() -> None:
    held = ["mom 10 AAPL", "cross -5 TSLA", "mom -1 MSFT"]
    flatten, buys = closing(*held)
    first, second = buys
    assert isinstance(first, Close) and isinstance(second, Close)

    assert buys == (close("cross", "TSLA", "5"), close("mom", "MSFT", "1"))
    assert flatten.ended(first, 2) == ()
    assert flatten.ended(second, 2) == (ReadAccount(3),)
    assert flatten.reads(now=2, held=["mom 10 AAPL"]) == (close("mom", "AAPL", "-10", 2),)


def test_buys_that_do_not_come_through_let_the_sells_have_their_turn() -> None:
    held = ["mom 10 AAPL", "mom -5 TSLA"]
    flatten, effects = closing(*held)
    turns = []
    while flatten.state.phase is Phase.CLOSING:
        (order,) = effects
        assert isinstance(order, Close)
        turns.append((order.symbol, order.number))
        flatten.ended(order, 2)
        effects = flatten.reads(now=2, held=held)

    symbols = ["TSLA", "AAPL"] * 3
    assert turns == [(symbol, number) for number, symbol in enumerate(symbols, 1)]
    reason = "3 rounds of closing orders did not close everything; positions: 10 AAPL, -5 TSLA"
    assert effects == (Failed(reason),)
    assert (flatten.state.phase, flatten.state.detail) == (Phase.FAILED, reason)


def test_that_closing_orders_are_refused_is_told_with_the_last_reason() -> None:
    flatten, effects = closing("mom 10 AAPL")
    for number in range(3):
        (order,) = effects
        assert isinstance(order, Close)
        flatten.ended(order, 2, refused=f"reason {number}" if number < 2 else "")
        effects = flatten.reads(now=2, held=["mom 10 AAPL"])

    said = "3 rounds of closing orders did not close everything (the last was refused: reason 1)"
    assert effects == (Failed(f"{said}; positions: 10 AAPL"),)


def test_the_other_side_goes_on_when_one_has_used_its_rounds() -> None:
    flatten, effects = closing("mom -5 TSLA")
    for _ in range(3):
        (order,) = effects
        assert isinstance(order, Close)
        flatten.ended(order, 2)
        effects = flatten.reads(now=2, held=["mom -5 TSLA", "mom 10 AAPL"])

    assert effects == (close("mom", "AAPL", "-10", 4),)


def test_a_closing_order_that_does_not_end_is_canceled_and_closed_anew_i25() -> None:
    flatten, (sell,) = closing("mom 10 AAPL")
    assert isinstance(sell, Close)

    assert flatten.ticks(75.9) == ()
    assert flatten.ticks(76) == (ReadAccount(3),)
    assert flatten.reads("its name", now=76, held=["mom 6 AAPL"]) == (CancelAll(("its name",)),)
    assert flatten.ended(sell, 77) == ()
    flatten.ticks(78)
    flatten.reads(now=78, held=["mom 5 AAPL"])
    assert flatten.reads(now=78, held=["mom 5 AAPL"]) == (close("mom", "AAPL", "-5", 2),)


def test_a_closing_order_that_is_gone_without_a_word_is_looked_for_twice_i25() -> None:
    flatten, _ = closing("mom 10 AAPL")
    flatten.ticks(76)

    assert flatten.reads(now=76, held=["mom 10 AAPL"]) == (ReadAccount(4),)
    assert flatten.reads(now=76, held=["mom 4 AAPL"]) == (close("mom", "AAPL", "-4", 2),)


def test_rounds_in_which_something_was_closed_do_not_count_i17() -> None:
    flatten, _ = closing("mom 10 AAPL")

    now = 1
    for left in range(9, 0, -1):
        now += 76
        flatten.ticks(now)
        flatten.reads(now=now, held=[f"mom {left} AAPL"])
        (effect,) = flatten.reads(now=now, held=[f"mom {left} AAPL"])
        assert isinstance(effect, Close)


def test_another_order_that_ends_is_not_ours_i16() -> None:
    flatten, (sell,) = closing("mom 10 AAPL")
    assert isinstance(sell, Close)

    for other in (
        close("cross", "AAPL", "-10"),
        close("mom", "TSLA", "-10"),
        close("mom", "AAPL", "-10", 2),
    ):
        assert flatten.ended(other, 2) == ()
    assert flatten.state.working == (sell,)


def test_no_round_ever_has_the_number_of_another_i16() -> None:
    flatten, (first,) = closing("mom 10 AAPL")
    assert isinstance(first, Close)
    flatten.ended(first, 2)
    flatten.reads(now=2)
    flatten.ticks(4)
    flatten.reads(now=4)
    flatten.hears(asked(now=10))
    flatten.hears(Paused(at(11)))
    flatten.reads(now=11, held=["mom 3 AAPL"])

    assert flatten.reads(now=11, held=["mom 3 AAPL"]) == (close("mom", "AAPL", "-3", 2),)
    assert flatten.state.reading == 6


def test_one_empty_account_is_not_flat() -> None:
    flatten = paused()

    assert flatten.reads(now=2) == ()
    assert flatten.ticks(3.9) == ()
    assert flatten.ticks(4) == (ReadAccount(2),)
    assert flatten.reads(now=4, held=["mom 1 AAPL"]) == (ReadAccount(3),)
    assert flatten.reads(now=4) == ()
    assert flatten.state.phase is Phase.VERIFYING


def test_an_order_between_two_empty_accounts_begins_anew() -> None:
    flatten = paused()
    flatten.reads(now=2)
    flatten.ticks(4)

    flatten.reads("late", now=4)
    flatten.ticks(6)

    assert flatten.reads(now=6) == ()
    assert flatten.state.phase is Phase.VERIFYING


def test_what_belongs_to_no_bot_is_waited_for_and_then_told_i29_i61() -> None:
    flatten, effects = closing("nobody 10 AAPL")
    for second in range(2, 61):
        if flatten.ticks(second):
            effects += flatten.reads(now=second, held=["nobody 10 AAPL"])
    assert effects == ()

    flatten.ticks(61)

    reason = (
        "what is left belongs to no bot: adopt, assign or exclude it with `reconcile`;"
        " positions: 10 AAPL"
    )
    assert flatten.reads(now=61, held=["nobody 10 AAPL"]) == (Failed(reason),)


def test_a_fill_that_is_heard_late_gives_a_position_its_owner_i25() -> None:
    flatten, _ = closing("nobody 10 AAPL")
    flatten.ticks(59)

    assert flatten.reads(now=59, held=["mom 10 AAPL"]) == (close("mom", "AAPL", "-10"),)
    assert flatten.ended(close("mom", "AAPL", "-10"), 60) == (ReadAccount(4),)
    assert flatten.reads(now=62, held=["nobody 10 AAPL"]) == ()


def test_what_offsets_inside_or_is_excluded_stays_and_is_told_i61() -> None:
    offset = Holding(
        symbol="AAPL",
        at_venue=Decimal(0),
        of_bots=(("mom", Decimal(4)), ("cross", Decimal(-4)), ("idle", Decimal(0))),
    )
    excluded = Holding(symbol="TSLA", at_venue=Decimal(3), excluded=Decimal(3))
    first, second = (
        Snapshot(number=number, open_orders=(), holdings=(offset, excluded), now=at(now))
        for number, now in ((1, 1), (2, 3))
    )
    flatten = paused()
    flatten.hears(first)
    flatten.ticks(3)

    on_record = (("mom", "AAPL", Decimal(4)), ("cross", "AAPL", Decimal(-4)))
    assert flatten.hears(second) == (Done(on_record),)


def canceling() -> Flattening:
    flatten = paused()
    flatten.reads("stuck", now=1)
    return flatten


def verifying() -> Flattening:
    flatten = paused()
    flatten.reads(now=1)
    return flatten


@pytest.mark.parametrize(
    "flatten",
    [canceling(), closing("nobody 10 AAPL")[0], closing("mom 10 AAPL")[0], verifying()],
    ids=["canceling", "without an owner", "closing", "verifying"],
)
def test_over_a_restart_it_goes_on_and_assumes_nothing_i59(flatten: Flattening) -> None:
    before = flatten.state

    effects = flatten.hears(Restarted(at(0)))

    assert effects == (
        LatchPause(CLOSE_ONLY, "smoke", "ann"),
        ReadAccount(before.reading + 1),
    )
    assert flatten.state == FlattenState(
        phase=Phase.CANCELING,
        reason="smoke",
        operator="ann",
        open_orders=before.open_orders,
        left=before.left,
        reading=before.reading + 1,
        is_out=True,
        heard_at=before.heard_at,
        round=before.round,
        sell_rounds=before.sell_rounds,
        sent_at=before.sent_at,
    )


def test_over_a_restart_before_the_pause_was_on_record_it_pauses_again_i02_i59() -> None:
    flatten = Flattening()
    flatten.hears(asked())

    assert flatten.hears(Restarted(0)) == (LatchPause(CLOSE_ONLY, "smoke", "ann"),)
    assert flatten.hears(Paused(at(1))) == (ReadAccount(1),)


def test_after_a_failure_it_can_be_asked_for_again() -> None:
    flatten, _ = closing("nobody 10 AAPL")
    flatten.ticks(61)
    flatten.reads(now=61, held=["nobody 10 AAPL"])

    effects = flatten.hears(asked(HALTED, now=70))

    assert effects == (LatchPause(HALTED, "smoke", "ann"),)
    assert flatten.state == FlattenState(
        phase=Phase.PAUSING, reason="smoke", operator="ann", pause=HALTED, reading=3
    )


def waiting() -> Flattening:
    """In second 1 it has closed the coin, and for the shares it waits."""
    flatten = paused()
    for _ in range(2):
        flatten.reads(now=1, held=["mom 10 AAPL"], closed=["AAPL"], kept=("stop",))
    return flatten


WAITS = (
    "the exchange is closed, so that AAPL cannot be closed before it opens; what protects it"
    " stays: stop; positions: 10 AAPL"
)


def test_what_cannot_be_closed_now_is_waited_for_last_and_keeps_its_stop_i11() -> None:
    held = ["mom 10 AAPL", "coin 2 BTC/USD"]
    flatten = paused()
    cancels = flatten.reads("entry", now=1, held=held, closed=["AAPL"], kept=("stop",))
    flatten.ticks(3)
    flatten.reads(now=3, held=held, closed=["AAPL"], kept=("stop",))
    closes = flatten.reads(now=3, held=held, closed=["AAPL"], kept=("stop",))
    flatten.ended(close("coin", "BTC/USD", "-2"), 4)
    waits = flatten.reads(now=4, held=["mom 10 AAPL"], closed=["AAPL"], kept=("stop",))

    assert cancels == (CancelAll(("entry",)),)
    assert closes == (close("coin", "BTC/USD", "-2"),)
    assert waits == (Waits(WAITS),)
    assert (flatten.state.phase, flatten.state.waits_for) == (Phase.WAITING, ("AAPL",))
    assert flatten.state.detail == WAITS


def test_while_it_waits_it_does_nothing_and_at_the_opening_it_goes_on_with_the_reading() -> None:
    flatten = waiting()
    before = flatten.state

    ticks = [flatten.ticks(seconds) for seconds in (2, 40, 100, 60_000)]
    same = flatten.state
    opened = flatten.hears(Opened(at(60_001)))
    cancels = flatten.reads("stop", now=60_001, held=["mom 10 AAPL"])
    flatten.ticks(60_003)
    flatten.reads(now=60_003, held=["mom 10 AAPL"])
    closes = flatten.reads(now=60_003, held=["mom 10 AAPL"])

    assert (ticks, same) == ([()] * 4, before)
    assert opened == (ReadAccount(3),)
    assert cancels == (CancelAll(("stop",)),)
    assert closes == (close("mom", "AAPL", "-10"),)
    assert (flatten.state.phase, flatten.state.detail) == (Phase.CLOSING, "positions: 10 AAPL")


def test_what_came_to_nothing_before_the_close_has_all_its_rounds_after_the_opening() -> None:
    flatten, (order,) = closing("mom 10 AAPL")
    for number in (1, 2, 3):
        flatten.ended(close("mom", "AAPL", "-10", number), number)
        flatten.reads(
            now=number, held=["mom 10 AAPL"], closed=["AAPL"] if number == 3 else (), kept=()
        )
    assert isinstance(order, Close)
    assert flatten.state.phase is Phase.WAITING

    flatten.hears(Opened(at(60_000)))
    flatten.reads(now=60_000, held=["mom 10 AAPL"])
    sent = flatten.reads(now=60_000, held=["mom 10 AAPL"])

    assert sent == (close("mom", "AAPL", "-10", 4),)
    assert flatten.state.sell_rounds == 1


def test_an_opening_that_nobody_waits_for_changes_nothing() -> None:
    flatten, _ = closing("mom 10 AAPL")
    before = flatten.state

    assert flatten.hears(Opened(at(2))) == ()
    assert flatten.state == before


def test_over_a_restart_it_reads_anew_what_it_waited_for_i59() -> None:
    flatten = waiting()

    effects = flatten.hears(Restarted(0))

    assert effects == (LatchPause(CLOSE_ONLY, "smoke", "ann"), ReadAccount(3))
    assert (flatten.state.phase, flatten.state.waits_for) == (Phase.CANCELING, ())


def test_that_the_exchange_is_closed_is_told_before_that_a_part_is_nobodys() -> None:
    flatten = paused()
    flatten.reads(now=1, held=["nobody 3 AAPL"], closed=["AAPL"])

    (waits,) = flatten.reads(now=1, held=["nobody 3 AAPL"], closed=["AAPL"])

    assert isinstance(waits, Waits)
    assert waits.detail.startswith("the exchange is closed, so that AAPL cannot be closed ")


WITHDRAWN = Withdrawn(reason="a mistake", operator="bob")


@pytest.mark.parametrize("phase", ["pausing", "canceling", "closing", "verifying", "waiting"])
def test_withdrawn_wherever_it_is_it_is_over_and_says_by_whom_i04(phase: str) -> None:
    flatten = Flattening()
    if phase == "pausing":
        flatten.hears(asked())
    elif phase == "canceling":
        flatten = paused()
    elif phase == "closing":
        flatten, _ = closing("mom 10 AAPL")
    elif phase == "verifying":
        flatten = paused()
        flatten.reads(now=1)
    else:
        flatten = waiting()
    assert flatten.state.phase.value == phase
    held = "; positions: 10 AAPL" if phase in ("closing", "waiting") else ""

    effects = flatten.hears(WITHDRAWN)

    assert effects == (Failed(f"withdrawn by bob: a mistake{held}"),)
    assert (flatten.state.phase, flatten.state.pause) == (Phase.FAILED, CLOSE_ONLY)
    assert flatten.hears(WITHDRAWN) == ()
    assert flatten.hears(Tick(at(500))) == ()
