"""Group commit: what comes together is committed together, and nobody hears of it before."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

import pytest

from actors.state_persister import StatePersister
from hydra.actor import SECOND, Actor, ChildSpec, Context, Ref
from hydra.ports import IntentRecorded, LedgerMark, ReportRecorded
from hydra.runtime.sim_runtime import SimRuntime
from hydra.store.connection import IN_MEMORY
from hydra.store.ledger import Ledger, LedgerFailed
from hydra.testkit import Kit, Probe
from hydra.testkit.faults import Edge
from hydra.testkit.kit import POLICY
from hydra.testkit.probe import Heard, ProbeActor
from hydra.trading.fees import NO_FEES, FeeSchedule
from hydra.trading.order_life import OrderState, OrderStatus, after
from hydra.trading.orders import DecisionKey
from hydra.trading.trade_signals import number_of
from messages.control import Halt, Recorded, RecordValue
from messages.journal import WriteEntry
from messages.message import Message
from messages.order_events import event_of
from messages.orders import (
    REPORTS_TOPIC,
    OrderAccepted,
    OrderApproved,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    OrderStored,
    Outcome,
    ReportStored,
    reports_topic,
)
from messages.positions import BookRecovered, RecoverBook, RecoverSignals, SignalsRecovered
from messages.record import CommitRecords, JournalSynced
from supervisors.supervisor import Supervisor
from tests.store.orders import AT, approved, decision, filled

ORDERS = [approved(decision(signal=signal)) for signal in range(1, 6)]
NAME = ORDERS[0].order.client_order_id
ATTEMPTED = OrderState(order=ORDERS[0].order, status=OrderStatus.ATTEMPTED)


class SpiedLedger:
    """A real ledger; it says what it does, and may fail its commits."""

    def __init__(self) -> None:
        self.ledger = Ledger.open(IN_MEMORY, venue="paper", at=AT)
        self.done: list[str] = []
        self.fails = False

    def record_intent(self, approved: OrderApproved, at: int) -> IntentRecorded:
        self.done.append("intent")
        return self.ledger.record_intent(approved, at)

    def record_report(
        self, report: Outcome, at: int, schedule: FeeSchedule = NO_FEES
    ) -> ReportRecorded:
        self.done.append("report")
        return self.ledger.record_report(report, at, schedule)

    def put(self, key: str, value: str, at: int) -> None:
        self.ledger.put(key, value, at)

    def book(self, bot: str | None) -> BookRecovered:
        self.done.append("book")
        return self.ledger.book(bot)

    def decisions_of_signals(self, bot: str, numbers: Iterable[int]) -> dict[int, DecisionKey]:
        self.done.append("signals")
        return self.ledger.decisions_of_signals(bot, numbers)

    def mark_journal(self, seq: int, at: int) -> None:
        self.ledger.mark_journal(seq, at)

    def commit(self) -> LedgerMark:
        if self.fails:
            raise LedgerFailed("disk I/O error")
        self.done.append("commit")
        return self.ledger.commit()

    def close(self) -> None:
        self.ledger.close()


@pytest.fixture
def ledger() -> Iterator[SpiedLedger]:
    spied = SpiedLedger()
    yield spied
    spied.close()


@pytest.fixture
def kit() -> Kit:
    return Kit()


def persister(
    kit: Kit, ledger: SpiedLedger, guardian: Probe | None = None
) -> tuple[Ref[Message], Probe]:
    gateway = kit.probe("gateway")
    guardian = guardian or kit.probe("guardian")
    ref = kit.start(StatePersister, ledger=ledger, gateway=gateway.ref, guardian=guardian.ref)
    return ref, gateway


def tell_at_once(kit: Kit, ref: Ref[Message], *messages: Message) -> None:
    """All of them are in the mailbox before the first is handled."""
    for message in messages:
        kit.runtime.tell(ref, message)
    kit.settle()


def names(probe: Probe) -> list[str]:
    return [
        message.approved.order.client_order_id
        for message in probe.told
        if isinstance(message, OrderStored)
    ]


def test_what_comes_together_is_committed_once_and_told_in_order(
    kit: Kit, ledger: SpiedLedger
) -> None:
    ref, gateway = persister(kit, ledger)

    tell_at_once(kit, ref, *ORDERS)

    assert ledger.done == ["intent"] * 5 + ["commit"]
    assert names(gateway) == [order.order.client_order_id for order in ORDERS]


def test_what_comes_later_has_a_commit_of_its_own(kit: Kit, ledger: SpiedLedger) -> None:
    ref, gateway = persister(kit, ledger)

    tell_at_once(kit, ref, ORDERS[0])
    tell_at_once(kit, ref, ORDERS[1])

    assert ledger.done == ["intent", "commit"] * 2
    assert len(names(gateway)) == 2


def test_nobody_hears_of_what_could_not_be_committed_i13_i56(kit: Kit, ledger: SpiedLedger) -> None:
    ref, gateway = persister(kit, ledger)
    ledger.fails = True

    tell_at_once(kit, ref, *ORDERS)
    kit.advance(SECOND)

    assert kit.incarnation(ref) > 1
    assert gateway.told == []
    assert ledger.ledger.orders() == ()


class Noting(Actor[RecordValue | Recorded]):
    """Has what it is told put on record, and keeps what it hears of that."""

    def __init__(self, persister: Ref[Message], heard: list[Recorded]) -> None:
        self._persister = persister
        self._heard = heard

    def receive(self, message: RecordValue | Recorded, ctx: Context) -> None:
        match message:
            case RecordValue():
                ctx.tell(self._persister, message)
            case Recorded():
                self._heard.append(message)


@pytest.mark.parametrize(("fails", "hears"), [(False, [Recorded(tags=("=key",))]), (True, [])])
def test_a_note_is_told_to_be_on_record_once_it_is_i02_i52(
    kit: Kit, ledger: SpiedLedger, fails: bool, hears: list[Recorded]
) -> None:
    ref, _ = persister(kit, ledger)
    heard: list[Recorded] = []
    noting = kit.start(Noting, persister=ref, heard=heard)
    ledger.fails = fails

    tell_at_once(kit, noting, RecordValue(key="key", value="value"))
    kit.advance(SECOND)

    assert heard == hears


def test_a_record_that_is_refused_takes_none_with_it_that_came_before_i22(
    kit: Kit, ledger: SpiedLedger
) -> None:
    guardian = kit.probe("guardian")
    ref, gateway = persister(kit, ledger, guardian)
    everybody = kit.probe("everybody")
    kit.runtime.bus.subscribe(REPORTS_TOPIC, kit.runtime.cells[everybody.ref.path])
    tell_at_once(kit, ref, ORDERS[0])
    fill = filled(ORDERS[0].order, "4")
    too_much = filled(ORDERS[0].order, "7", "execution-2")
    changed = approved(decision(signal=1), quantity=Decimal(11))

    tell_at_once(kit, ref, ORDERS[1], fill, too_much)
    kit.advance(SECOND)
    tell_at_once(kit, ref, ORDERS[2], changed)
    kit.advance(SECOND)

    # A report that cannot be is written down and halts; another order under a name that is taken
    # is a fault of ours, and fails the persister.
    halt = guardian.expect(Halt)
    assert halt.cause.code == "impossible_order"
    assert kit.incarnation(ref) == 2
    assert names(gateway) == [order.order.client_order_id for order in ORDERS[:3]]
    assert everybody.told == [ReportStored(decision=decision(), report=fill)]
    assert len(ledger.ledger.orders()) == 3


def test_what_an_incarnation_left_uncommitted_is_in_the_book_i16_i23(
    kit: Kit, ledger: SpiedLedger
) -> None:
    ref, gateway = persister(kit, ledger)
    asker = kit.probe("asker")
    ledger.record_intent(ORDERS[0], AT)

    kit.kill(ref)
    kit.advance(SECOND)
    tell_at_once(kit, ref, RecoverBook(reply_to=asker.ref.path, asked_by=1))

    assert len(asker.expect(BookRecovered).orders) == 1
    assert gateway.told == []  # whether it was sent nobody can know here


def test_what_comes_again_is_told_to_nobody_again_i16_i23(kit: Kit, ledger: SpiedLedger) -> None:
    ref, gateway = persister(kit, ledger)
    everybody = kit.probe("everybody")
    kit.runtime.bus.subscribe(REPORTS_TOPIC, kit.runtime.cells[everybody.ref.path])
    fill = filled(ORDERS[0].order, "4")

    tell_at_once(kit, ref, ORDERS[0], ORDERS[0], fill, fill)
    tell_at_once(kit, ref, ORDERS[0], fill)

    assert gateway.told == [OrderStored(approved=ORDERS[0])]
    assert everybody.told == [ReportStored(decision=decision(), report=fill)]
    assert ledger.done == ["intent"] * 2 + ["report"] * 2 + ["commit", "intent", "report"]
    assert kit.state(ref)["duplicates"] == 4


@pytest.mark.parametrize(
    ("first", "fuller"),
    [
        (
            OrderRejected(client_order_id=NAME, reason="", at=AT),
            OrderRejected(client_order_id=NAME, reason="not shortable", at=AT),
        ),
        (
            OrderExpired(client_order_id=NAME, at=AT),
            OrderCanceled(client_order_id=NAME, at=AT),
        ),
    ],
)
def test_what_comes_again_in_fuller_words_is_on_record_and_told_to_nobody_i24(
    kit: Kit, ledger: SpiedLedger, first: Outcome, fuller: Outcome
) -> None:
    ref, _ = persister(kit, ledger)
    everybody = kit.probe("everybody")
    kit.runtime.bus.subscribe(REPORTS_TOPIC, kit.runtime.cells[everybody.ref.path])
    tell_at_once(kit, ref, ORDERS[0], first)

    tell_at_once(kit, ref, fuller)

    (order,) = ledger.ledger.orders()  # what is durable
    assert order.state == after(after(ATTEMPTED, event_of(first)), event_of(fuller))
    assert everybody.told == [ReportStored(decision=decision(), report=first)]


def test_the_answer_about_the_book_says_whose_question_it_is(kit: Kit, ledger: SpiedLedger) -> None:
    ref, _ = persister(kit, ledger)
    asker = kit.probe("asker")

    tell_at_once(kit, ref, RecoverBook(reply_to=asker.ref.path, asked_by=3))

    assert asker.expect(BookRecovered) == BookRecovered(orders=(), fills=(), asked_by=3)


def test_a_commit_is_in_the_journal_with_its_mark_before_what_it_let_out_i54(
    ledger: SpiedLedger,
) -> None:
    heard: list[Heard] = []
    gateway: Ref[OrderStored] = Ref("/root/gateway")
    children = (
        ChildSpec(name="journal", actor=ProbeActor, args={"heard": heard, "answers": []}),
        ChildSpec(name="gateway", actor=ProbeActor, args={"heard": [], "answers": []}),
        ChildSpec(
            name="persister",
            actor=StatePersister,
            args={"ledger": ledger, "gateway": gateway, "guardian": gateway},
            drain_on_stop=True,
        ),
    )
    runtime = SimRuntime(journal=Ref("/root/journal"))
    root = ChildSpec(name="root", actor=Supervisor, args={"children": children, "policy": POLICY})
    runtime.start_root(root)
    runtime.advance(SECOND)

    runtime.tell(Ref("/root/persister"), ORDERS[0])
    runtime.advance(SECOND)

    mark = ledger.ledger.mark
    lines = [each.message for each in heard if isinstance(each.message, WriteEntry)]
    of_the_commit = [line for line in lines if line.source == "/root/persister"][-2:]
    assert [(line.event, dict(line.fields)) for line in of_the_commit] == [
        ("ledger_committed", {"ledger_seq": mark.seq, "ledger_chain": mark.chain, "records": 1}),
        ("intent_stored", {"order": ORDERS[0].order, "reason": ORDERS[0].intent.reason}),
    ]


def test_what_was_recorded_is_committed_and_told_before_it_stops(
    kit: Kit, ledger: SpiedLedger
) -> None:
    ref, gateway = persister(kit, ledger)
    kit.drop(Edge(receiver=ref, message=CommitRecords))
    tell_at_once(kit, ref, ORDERS[0])
    assert gateway.told == []

    kit.runtime.stop_cell(kit.runtime.cells[ref.path], "the session is over")
    kit.settle()

    assert ledger.done == ["intent", "commit"]
    assert gateway.told == [OrderStored(approved=ORDERS[0])]


def test_the_book_has_all_that_was_told_before_it_was_asked_for(
    kit: Kit, ledger: SpiedLedger
) -> None:
    ref, _ = persister(kit, ledger)
    asker = kit.probe("asker")

    tell_at_once(kit, ref, ORDERS[0], RecoverBook(reply_to=asker.ref.path, asked_by=1))

    assert ledger.done == ["intent", "commit", "book"]
    assert len(asker.expect(BookRecovered).orders) == 1


def test_whoever_asks_which_signals_led_to_orders_hears_of_what_was_told_before_i16_i38(
    kit: Kit, ledger: SpiedLedger
) -> None:
    ref, _ = persister(kit, ledger)
    number = number_of("s-1")
    order = approved(decision(signal=number))

    kit.runtime.tell(ref, order)
    answer = kit.ask(ref, RecoverSignals(bot="momentum", numbers=(number, 7)))

    assert answer == SignalsRecovered(decisions={number: order.intent.decision})
    assert ledger.done == ["intent", "commit", "signals"]


def test_each_report_goes_to_everybody_concerned(kit: Kit, ledger: SpiedLedger) -> None:
    ref, _ = persister(kit, ledger)
    mine, theirs = ORDERS[0], approved(decision(bot="other"))
    everybody, bot = kit.probe("everybody"), kit.probe("bot")
    kit.runtime.bus.subscribe(REPORTS_TOPIC, kit.runtime.cells[everybody.ref.path])
    kit.runtime.bus.subscribe(reports_topic("other"), kit.runtime.cells[bot.ref.path])
    tell_at_once(kit, ref, mine, theirs)

    reports = (
        OrderAccepted(client_order_id=mine.order.client_order_id, venue_order_id="v1", at=AT),
        filled(theirs.order, "4"),
    )
    tell_at_once(kit, ref, *reports)

    stored = [
        ReportStored(decision=decision(), report=reports[0]),
        ReportStored(decision=decision(bot="other"), report=reports[1]),
    ]
    assert everybody.told == stored
    assert bot.told == stored[1:]


def test_the_journal_s_place_is_marked_with_the_next_commit_i54(
    kit: Kit, ledger: SpiedLedger
) -> None:
    ref, _ = persister(kit, ledger)

    tell_at_once(kit, ref, JournalSynced(seq=7))
    assert (ledger.done, ledger.ledger.journal_seq) == ([], 0)
    tell_at_once(kit, ref, ORDERS[0])

    assert ledger.ledger.journal_seq == 7
