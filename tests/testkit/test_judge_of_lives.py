"""What the judge makes of several runs and lives: a storm of starts, and halts between accounts."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from hydra.store.engine_files import EngineFiles
from hydra.store.events import EngineStarted, HaltCleared, HaltLatched
from hydra.store.lives import CarriedHalts
from hydra.testkit.judge.case import Case
from hydra.testkit.judge.evidence import (
    JournalLine,
    Life,
    OrderOnRecord,
    Recorded,
    Run,
    Sent,
    market_time_of,
)
from hydra.testkit.judge.recording import lost_halts, no_unclean_end_unnoticed
from hydra.testkit.judge.sending import (
    no_order_in_a_restart_storm,
    nothing_sent_after_a_halt,
)
from hydra.testkit.judge.standing import standings
from hydra.trading.causes import OPERATOR_HALT, RESTART_STORM
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Order, OrderType, Side, TimeInForce
from hydra.trading.trading_state import TradingState
from hydra.venues.simulated.misbehaviour import Misbehaviour
from messages.orders import OrderIntent
from tests.store.orders import decision

AT = 1_767_630_000_000_000_000
HALT = OPERATOR_HALT.cause(since=AT, detail="said so")

ORDER = Order(
    client_order_id="an-order",
    symbol="AAPL",
    side=Side.BUY,
    quantity=Decimal(8),
    order_type=OrderType.MARKET,
    time_in_force=TimeInForce.DAY,
)


def started(number: int, *, in_order: bool, at_s: int = 0, noticed: bool = True) -> Run:
    event = EngineStarted(version="1", configuration="c")
    return Run(
        number=number,
        started=Recorded(seq=10 * number + 1, at=AT, event=event),
        wall_at=AT + at_s * 1_000_000_000,
        after_unclean_end=noticed,
        ended_in_order=in_order,
        lines=(),
    )


def case_of(*runs: Run, events: tuple[Recorded, ...] = (), sent_in: int | None = None) -> Case:
    """A life of these runs; `sent_in` is the one in which an order came to the venue."""
    sent: tuple[Sent, ...] = ()
    orders: dict[str, OrderOnRecord] = {}
    if sent_in is not None:
        sent = (Sent(place=1, at=AT, order=ORDER, speed=None),)
        intent = OrderIntent(
            decision=decision(),
            side=Side.BUY,
            quantity=Decimal(8),
            reason="",
            decided_at=AT,
            reference_price=None,
        )
        orders["an-order"] = OrderOnRecord(
            intent=intent,
            order=ORDER,
            seq=10 * sent_in + 5,
            at=AT,
            attempts=1,
            status=OrderStatus.FILLED,
            run=sent_in,
        )
    life = Life(name="a life", runs=runs, events=events, sent=sent, orders=orders)
    return Case(life, (), Misbehaviour())


def cleared(seq: int) -> Recorded:
    return Recorded(seq=seq, at=AT, event=HaltCleared(code=RESTART_STORM.code, reason="seen to"))


KILLED_FOUR_TIMES = tuple(started(number, in_order=False) for number in range(4))
STORM = "I75: an-order was sent after 4 unclean starts, by nobody's leave"


@pytest.mark.parametrize(
    ("cases", "found"),
    [
        ([case_of(*KILLED_FOUR_TIMES, sent_in=3)], []),
        ([case_of(*KILLED_FOUR_TIMES, started(4, in_order=True), sent_in=4)], [STORM]),
        (
            [
                case_of(*KILLED_FOUR_TIMES[:2]),
                case_of(*KILLED_FOUR_TIMES[:2], started(2, in_order=True), sent_in=2),
            ],
            [STORM],
        ),
        (
            [
                case_of(
                    *KILLED_FOUR_TIMES,
                    started(4, in_order=True),
                    sent_in=4,
                    events=(cleared(43),),
                )
            ],
            [],
        ),
        (
            [
                case_of(
                    *KILLED_FOUR_TIMES,
                    started(4, in_order=True),
                    sent_in=4,
                    events=(cleared(46),),
                )
            ],
            [STORM],
        ),
        ([case_of(*KILLED_FOUR_TIMES, started(4, in_order=True, at_s=600), sent_in=4)], [STORM]),
        ([case_of(*KILLED_FOUR_TIMES, started(4, in_order=True, at_s=601), sent_in=4)], []),
        ([case_of(*KILLED_FOUR_TIMES, started(4, in_order=True), sent_in=2)], []),
        (
            [
                case_of(
                    *KILLED_FOUR_TIMES,
                    started(4, in_order=True),
                    sent_in=4,
                    events=(cleared(33),),
                )
            ],
            [STORM],
        ),
    ],
    ids=[
        "three unclean starts",
        "four",
        "four, in two lives",
        "let go before",
        "let go too late",
        "ten minutes ago",
        "longer ago",
        "sent before",
        "let go in the run before",
    ],
)
def test_an_order_in_a_restart_storm_is_found_i75(cases: list[Case], found: list[str]) -> None:
    assert [str(each) for each in no_order_in_a_restart_storm(cases)] == found


@pytest.mark.parametrize(
    ("in_order", "noticed", "found"),
    [
        (True, False, []),
        (False, True, []),
        (True, True, ["I03: run 1 began as if it had not followed an orderly end"]),
        (False, False, ["I03: run 1 began as if it had followed an orderly end"]),
    ],
)
def test_a_start_that_does_not_know_how_the_run_before_ended_is_found_i03(
    in_order: bool, noticed: bool, found: list[str]
) -> None:
    runs = started(0, in_order=in_order), started(1, in_order=True, noticed=noticed)

    assert [str(each) for each in no_unclean_end_unnoticed(case_of(*runs))] == found


HALTED = Life(name="before", runs=(started(0, in_order=True),), halts=(HALT,))
MARKED = Life(name="before", runs=(started(0, in_order=True),), marked=(HALT,))
LATCHED = Life(
    name="after",
    runs=(started(1, in_order=True),),
    events=(Recorded(seq=2, at=AT, event=HaltLatched(cause=HALT)),),
)
LATCHED_LATER = structs.replace(
    LATCHED, events=(structs.replace(LATCHED.events[0], seq=12),), halts=(HALT,)
)
NOT_BEGUN = Life(name="after")


@pytest.mark.parametrize(
    ("lives", "carried", "found"),
    [
        ([HALTED, LATCHED], False, []),
        ([MARKED, LATCHED], False, []),
        ([HALTED, NOT_BEGUN], True, []),
        ([HALTED, NOT_BEGUN, LATCHED], False, []),
        ([HALTED, LATCHED_LATER], False, ["operator-halt stood before, and does not in after"]),
        ([HALTED, NOT_BEGUN], False, ["operator-halt stood before, and is nowhere now"]),
    ],
)
def test_a_halt_that_gets_lost_between_two_lives_is_found_i02_i04(
    lives: list[Life], carried: bool, found: list[str], tmp_path: Path
) -> None:
    files = EngineFiles.under(tmp_path, tmp_path, "ledger.db", "journal.jsonl")
    if carried:
        files.carried_halts.write_bytes(msgspec.json.encode(CarriedHalts(halts=(HALT,), word="")))

    assert [each.what for each in lost_halts(lives, files)] == found


def line(seq: int, at: int, event: str, **fields: object) -> JournalLine:
    return JournalLine(seq=seq, at=at, event=event, fields={"event": event, **fields})


SPEED = 600.0
QUARTER_NS = 250_000_000 * int(SPEED)


@pytest.mark.parametrize(
    ("sent_after_ns", "speed", "found"),
    [
        (-1, None, False),
        (0, None, False),  # in one instant nobody can tell what came first
        (1, None, True),
        (QUARTER_NS, SPEED, False),
        (QUARTER_NS + 1, SPEED, True),
        (10 * QUARTER_NS - 1, SPEED, True),
        (10 * QUARTER_NS, SPEED, False),
    ],
)
def test_an_order_later_than_a_halt_by_more_than_it_takes_to_arrive_is_found_i01(
    sent_after_ns: int, speed: float | None, found: bool
) -> None:
    lines = (
        line(1, AT - 9, "engine_started"),
        line(2, AT - 8, "trading_state", state="ACTIVE", causes=[]),
        line(3, AT, "halt_latched", cause=msgspec.to_builtins(HALT)),
        line(4, AT + 10 * QUARTER_NS, "halt_cleared", code=HALT.code),
    )
    run = structs.replace(started(0, in_order=True), lines=lines)
    honest = case_of(run, sent_in=0)
    sent = structs.replace(honest.life.sent[0], at=AT + sent_after_ns, speed=speed)
    late = Case(structs.replace(honest.life, sent=(sent,)), (), Misbehaviour())

    violations = [str(each) for each in nothing_sent_after_a_halt(late)]

    wanted = "I01: an-order was sent in spite of operator-halt (time)"
    assert violations == [wanted] * found


def test_a_cause_that_nobody_knows_halts() -> None:
    lines = (
        line(1, AT, "engine_started"),
        line(2, AT, "trading_state", state="HALTED", causes=["strange"]),
        line(3, AT, "trading_state", state="CLOSE_ONLY", causes=["operator-close-only"]),
        line(4, AT, "trading_state", state="ACTIVE", causes=[]),
    )

    found = standings(lines, {})

    assert [(each.seq, each.state, each.words) for each in found] == [
        (1, TradingState.HALTED, "start"),
        (2, TradingState.HALTED, "strange"),
        (3, TradingState.CLOSE_ONLY, "operator-close-only"),
        (4, TradingState.ACTIVE, "nothing"),
    ]


def test_the_time_of_a_line_is_read_to_the_nanosecond() -> None:
    assert market_time_of("1970-01-01T00:00:01.000000002Z") == 1_000_000_002
