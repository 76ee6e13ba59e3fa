"""What the judge makes of several runs and lives: a storm of starts, and halts between accounts."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from msgspec import structs

from hydra.store.engine_files import EngineFiles
from hydra.store.events import (
    AccountOpened,
    EngineStarted,
    FeeAccrued,
    FeeBooked,
    FeesObserved,
    HaltCleared,
    HaltLatched,
    LedgerEvent,
)
from hydra.store.lives import CarriedHalts
from hydra.testkit.judge.case import MARKET, OVER, Case
from hydra.testkit.judge.evidence import (
    JournalLine,
    Life,
    OrderOnRecord,
    Recorded,
    Run,
    life_in,
    market_time_of,
)
from hydra.testkit.judge.recording import lost_halts, no_unclean_end_unnoticed, the_same_account
from hydra.testkit.judge.sending import (
    no_order_in_a_restart_storm,
    nothing_sent_after_a_halt,
    nothing_sent_off_the_record,
    only_reductions_when_close_only,
)
from hydra.testkit.judge.standing import standings
from hydra.testkit.judge.venue_evidence import Asked, Markets, Played, Verb
from hydra.trading.causes import OPERATOR_HALT, RESTART_STORM
from hydra.trading.fees import Fee, FeeBooking, FeeChange, FeeObservation, FeePart
from hydra.trading.order_life import OrderStatus
from hydra.trading.orders import Fill, Order, OrderType, Role, Side, TimeInForce
from hydra.trading.trading_state import Cause, CauseClass, TradingState
from hydra.trading.venue_view import VenueAccount, VenueFee, VenueSnapshot
from messages.orders import OrderFilled, OrderIntent
from tests.store.orders import decision

AT = 1_767_630_000_000_000_000
NO_MARKETS = Markets(data=())
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
    asked: tuple[Asked, ...] = ()
    orders: dict[str, OrderOnRecord] = {}
    if sent_in is not None:
        asked = (Asked(place=1, at=AT, verb=Verb.PLACE, name="an-order", order=ORDER),)
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
    life = Life(name="a life", runs=runs, events=events, asked=asked, orders=orders)
    return Case(life, NO_MARKETS)


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
    late = Case(structs.replace(honest.life, asked=(sent,)), NO_MARKETS)

    violations = [str(each) for each in nothing_sent_after_a_halt(late)]

    wanted = "I01: an-order was sent in spite of operator-halt (time)"
    assert violations == [wanted] * found


@pytest.mark.parametrize("role", [Role.EXIT, Role.FLATTEN])
def test_an_order_that_nobody_can_read_is_found_and_reduces_nothing_i09_i15(role: Role) -> None:
    lines = (
        line(1, AT - 9, "engine_started"),
        line(2, AT - 8, "trading_state", state="CLOSE_ONLY", causes=["operator-close-only"]),
        line(3, AT - 7, "intent_stored", order={"client_order_id": "an-order"}),
    )
    honest = case_of(structs.replace(started(0, in_order=True), lines=lines), sent_in=0)
    known, asked = honest.life.orders["an-order"], honest.life.asked[0]
    decided = structs.replace(known.intent.decision, role=role)
    meant = structs.replace(known, intent=structs.replace(known.intent, decision=decided))
    unread = structs.replace(
        honest.life,
        asked=(structs.replace(asked, order=None),),
        orders={"an-order": meant},
    )
    case = Case(unread, NO_MARKETS)

    violations = [*nothing_sent_off_the_record(case), *only_reductions_when_close_only(case)]

    assert [str(each) for each in violations] == [
        "I15: an-order was sent in words that are not ours",
        "I09: an-order does not only reduce: nobody can read it",
    ]


@pytest.mark.parametrize("verb", [Verb.CANCEL, Verb.CANCEL_ALL, Verb.OTHER])
def test_a_request_that_makes_no_order_is_no_order_sent(verb: Verb) -> None:
    asked = Asked(place=1, at=AT, verb=verb, name="an-order")

    assert Life(name="a life", asked=(asked,)).sent == ()


def test_an_order_that_no_engine_of_ours_asks_for_like_that_is_found_i13() -> None:
    asked = Asked(place=1, at=AT, verb=Verb.CLOSE, name="DELETE /v2/positions")
    case = Case(Life(name="a life", asked=(asked,)), NO_MARKETS)

    assert [str(each) for each in nothing_sent_off_the_record(case)] == [
        "I13: DELETE /v2/positions was sent, and nobody meant to by the record"
    ]


class EmptyVenue:
    """It was asked these things, and has neither orders nor executions."""

    def __init__(self, *asked: Asked) -> None:
        self.asked = asked

    def played(self, markets: Markets, lines: int | None = None) -> Played:
        account = VenueAccount(account="an account", cash=Decimal(0), equity=None)
        there = VenueSnapshot(at=AT, since=0, account=account, positions=(), orders=(), fills=())
        return Played(there, ())


@pytest.mark.parametrize(
    ("status", "is_refused", "found"),
    [
        (OrderStatus.REJECTED, True, []),
        (OrderStatus.ABSENT, True, []),
        (OrderStatus.REJECTED, False, ["rejected"]),
        (OrderStatus.ACCEPTED, True, ["accepted"]),
    ],
)
def test_an_order_that_is_none_at_the_venue_was_refused_or_given_up_or_is_found_i14_i19(
    status: OrderStatus, is_refused: bool, found: list[str]
) -> None:
    honest = case_of(started(0, in_order=True), sent_in=0)
    opened = Recorded(seq=2, at=AT, event=AccountOpened(cash=Decimal(0)))
    known = structs.replace(honest.life.orders["an-order"], status=status)
    asked = structs.replace(honest.life.asked[0], is_refused=is_refused)
    life = structs.replace(
        honest.life,
        asked=(asked,),
        venue=EmptyVenue(asked),
        orders={"an-order": known},
        events=(opened,),
        values={MARKET: OVER},
    )

    violations = [each.what for each in the_same_account(Case(life, NO_MARKETS))]

    never = "an-order never came to the venue, and on record is"
    assert violations == [f"{never} {words}" for words in found]


def test_a_life_with_the_logs_of_two_venues_is_no_evidence(tmp_path: Path) -> None:
    files = EngineFiles.under(tmp_path, tmp_path, "ledger.db", "journal.jsonl")
    files.venue_log.parent.mkdir()
    for path in (files.venue_log, files.venue_account):
        path.touch()

    with pytest.raises(LookupError, match="wanted one venue of an account"):
        life_in(files)


def test_a_cause_that_nobody_knows_halts() -> None:
    lines = (
        line(1, AT, "engine_started"),
        line(2, AT, "trading_state", state="HALTED", causes=["strange"]),
        line(3, AT, "trading_state", state="CLOSE_ONLY", causes=["operator-close-only"]),
        line(4, AT, "trading_state", state="ACTIVE", causes=[]),
    )

    found = standings(lines, ())

    assert [(each.seq, each.state, each.words) for each in found] == [
        (1, TradingState.HALTED, "start"),
        (2, TradingState.HALTED, "strange"),
        (3, TradingState.CLOSE_ONLY, "operator-close-only"),
        (4, TradingState.ACTIVE, "nothing"),
    ]


def test_a_cause_that_came_twice_stood_as_it_did_at_the_time() -> None:
    kill = "kill_switch:state_file"
    known = [
        Cause(code=kill, cause_class=CauseClass.INTEGRITY, state=state, since=since, detail="")
        for state, since in ((TradingState.CLOSE_ONLY, AT), (TradingState.HALTED, AT + 10))
    ]
    lines = (
        line(1, AT + 5, "engine_started"),
        line(2, AT + 5, "trading_state", state="CLOSE_ONLY", causes=[kill]),
        line(3, AT + 6, "engine_started"),
        line(4, AT + 10, "trading_state", state="HALTED", causes=[kill]),
    )

    found = standings(lines, known)

    assert [each.state for each in found if each.words == kill] == [
        TradingState.CLOSE_ONLY,
        TradingState.HALTED,
    ]


def test_the_time_of_a_line_is_read_to_the_nanosecond() -> None:
    assert market_time_of("1970-01-01T00:00:01.000000002Z") == 1_000_000_002


def test_what_is_held_is_net_of_what_the_venue_is_known_to_have_kept_i60() -> None:
    coin, a_sale = "BTC/USD", "USD"

    def fee(number: int, asset: str, amount: str) -> Fee:
        return Fee(
            client_order_id="an-order",
            execution_id=f"execution-{number}",
            bot="crypto",
            symbol=coin,
            asset=asset,
            amount=Decimal(amount),
            most=Decimal(1),
            at=AT,
        )

    bought = Fill(
        execution_id="execution-1",
        client_order_id="an-order",
        symbol=coin,
        side=Side.BUY,
        quantity=Decimal(2),
        price=Decimal(100),
        at=AT,
    )
    change = FeeChange(
        client_order_id="an-order", execution_id="execution-1", amount=Decimal("0.003")
    )
    part = FeePart(client_order_id="an-order", execution_id="execution-2", amount=Decimal("0.2"))
    charge = VenueFee(
        activity_id="day", asset="USD", symbol="", amount=Decimal("0.75"), at=AT, is_of_coins=False
    )
    events: tuple[LedgerEvent, ...] = (
        AccountOpened(cash=Decimal(1_000)),
        OrderFilled(fill=bought),
        FeeAccrued(fee=fee(1, coin, "0.005")),
        FeeAccrued(fee=fee(2, a_sale, "0.25")),
        FeesObserved(observation=FeeObservation(coin, (change,))),
        FeeBooked(booking=FeeBooking(charge, (part,))),
    )
    life = Life(
        name="a life",
        events=tuple(Recorded(seq=n, at=AT, event=each) for n, each in enumerate(events, start=1)),
    )

    assert life.positions == {coin: Decimal("1.997")}
    # 0.25 was kept of a sale, and 0.75 less what is accounted for so is the account's own.
    assert life.cash == Decimal(1_000) - 200 - Decimal("0.25") - Decimal("0.55")
