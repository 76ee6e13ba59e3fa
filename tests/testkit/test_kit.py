"""The kit does what its page says, and says what went wrong."""

from datetime import timedelta

import pytest

from hydra.actor import MINUTE, SECOND, Actor, ChildSpec, Context, MailboxSpec, Ref
from hydra.testkit import Kit
from hydra.testkit.builders import approved, bars, fill, intent
from hydra.testkit.faults import Edge
from messages.message import Message


class Note(Message, frozen=True, kw_only=True):
    """Something to pass on."""

    number: int


class Other(Message, frozen=True, kw_only=True):
    """Something else."""


class Relay(Actor[Note]):
    """Passes notes on, and counts them."""

    def __init__(self, to: Ref[Note]) -> None:
        self._to = to
        self.count = 0

    def receive(self, message: Note, ctx: Context) -> None:
        self.count += 1
        ctx.tell(self._to, message)


@pytest.fixture
def kit() -> Kit:
    return Kit()


def notes(*numbers: int) -> list[Message]:
    return [Note(number=number) for number in numbers]


def test_what_is_told_arrives_in_order_with_its_sender(kit: Kit) -> None:
    probe = kit.probe()
    relay = kit.start(Relay, to=probe.ref)

    for number in (1, 2, 3):
        kit.tell(relay, Note(number=number))

    assert probe.told == notes(1, 2, 3)
    assert {heard.sender for heard in probe.heard} == {"/kit/Relay"}
    assert kit.state(relay) == {"to": repr(probe.ref), "count": "3"}


def test_expect_says_what_came_instead(kit: Kit) -> None:
    probe = kit.probe()
    kit.tell(probe.ref, Other())

    with pytest.raises(AssertionError, match=r"/kit/probe expected Note, was told Other\(\)"):
        probe.expect(Note)


def test_expect_says_that_nothing_came_and_how_long_it_waited(kit: Kit) -> None:
    probe = kit.probe()
    kit.tell(probe.ref, Other())
    probe.expect(Other)
    before = kit.now

    with pytest.raises(
        AssertionError, match=r"within 2 virtual s, was told nothing; before.*Other"
    ):
        probe.expect(Note, within=2 * SECOND)

    assert kit.now == before + 2 * SECOND


def test_expect_no_message_says_what_came(kit: Kit) -> None:
    probe = kit.probe()
    kit.tell(probe.ref, Note(number=7))

    with pytest.raises(AssertionError, match=r"was told \[Note\(number=7\)\]"):
        probe.expect_no_message()

    probe.clear()
    probe.expect_no_message()


def test_time_is_virtual_and_takes_timedeltas(kit: Kit) -> None:
    before = kit.now

    kit.advance(timedelta(days=3, microseconds=5))

    assert kit.now - before == 3 * 24 * 60 * MINUTE + 5_000


def test_a_probe_answers_as_it_is_told(kit: Kit) -> None:
    probe = kit.probe()
    probe.reply_with(lambda asked: Other() if isinstance(asked, Note) else None)

    assert kit.ask(probe.ref, Note(number=1)) == Other()


def test_messages_are_lost_late_doubled_and_shuffled_on_their_edge_alone(kit: Kit) -> None:
    probe, other = kit.probe(), kit.probe("other")
    relay = kit.start(Relay, to=probe.ref)
    edge = Edge(sender=relay, receiver=probe.ref, message=Note)

    end = kit.drop(edge, count=1)
    for number in (1, 2):
        kit.tell(relay, Note(number=number))
    end()
    assert probe.told == notes(2)

    end = kit.delay(edge, by=SECOND)
    kit.tell(relay, Note(number=3))
    kit.tell(other.ref, Note(number=3))
    assert (probe.told, other.told) == (notes(2), notes(3))
    kit.advance(SECOND)
    end()
    assert probe.told == notes(2, 3)

    end = kit.duplicate(edge)
    kit.tell(relay, Note(number=4))
    kit.advance(SECOND)
    end()
    assert probe.told == notes(2, 3, 4, 4)

    probe.clear()
    kit.reorder(edge, spread=SECOND)
    for number in range(20):
        kit.tell(relay, Note(number=number))
    kit.advance(SECOND)
    assert probe.told != notes(*range(20))
    assert sorted(n.number for n in probe.told if isinstance(n, Note)) == list(range(20))
    assert [dead.reason.value for dead in kit.dead_letters] == ["dropped"]


def test_losing_everything_does_not_disturb_supervision(kit: Kit) -> None:
    probe = kit.probe()
    relay = kit.start(Relay, to=probe.ref)

    end = kit.drop(Edge())
    kit.kill(relay)
    kit.advance(SECOND)
    end()

    assert (kit.incarnation(relay), kit.status(relay)) == (2, "running")


def test_kill_crash_and_hang_each_cost_an_incarnation(kit: Kit) -> None:
    probe = kit.probe()
    relay = kit.start(Relay, to=probe.ref)

    kit.kill(relay)
    assert kit.status(relay) == "backoff"
    kit.advance(SECOND)
    assert (kit.incarnation(relay), kit.restarts(relay)) == (2, 1)

    kit.crash_next(relay, ValueError("planned"))
    kit.tell(relay, Note(number=1))
    kit.advance(SECOND)
    assert kit.incarnation(relay) == 3

    kit.hang(relay)
    kit.tell(relay, Note(number=2))
    kit.tell(relay, Note(number=3))
    kit.advance(SECOND)
    assert probe.told == []
    kit.advance(5 * SECOND)
    assert (kit.incarnation(relay), probe.told) == (4, notes(3))
    assert kit.status(relay) == "running"


def test_an_actor_that_does_not_start_is_told_of(kit: Kit) -> None:
    class Broken(Actor[Note]):
        def start(self, ctx: Context) -> None:
            raise ValueError("no good")

    with pytest.raises(ValueError, match="did not start: ValueError: no good"):
        kit.start(Broken)


def test_a_specification_of_one_s_own_is_obeyed(kit: Kit) -> None:
    probe = kit.probe()
    spec = ChildSpec(
        name="small", actor=Relay, args={"to": probe.ref}, mailbox=MailboxSpec(bound=1)
    )
    relay = kit.start_child(spec)

    for number in (1, 2):
        kit.runtime.tell(relay, Note(number=number))
    kit.settle()

    assert probe.told == notes(1)
    assert [dead.reason.value for dead in kit.dead_letters] == ["full"]


@pytest.mark.parametrize("explore", [None, 3])
def test_the_same_kit_gives_the_same_run(explore: int | None) -> None:
    def trace_hash(seed: int) -> str:
        kit = Kit(seed=seed, explore=explore)
        probe = kit.probe()
        relay = kit.start(Relay, to=probe.ref)
        kit.delay(Edge(receiver=probe.ref), probability=0.5)
        for number in range(10):
            kit.tell(relay, Note(number=number))
        kit.advance(SECOND)
        return kit.trace_hash

    assert trace_hash(1) == trace_hash(1) != trace_hash(2)


def test_the_builders_fit_together() -> None:
    wish = intent(quantity="3")
    order = approved(wish)

    assert fill(order).quantity == wish.quantity
    assert fill(order).client_order_id == order.order.client_order_id
    one, two = bars((100.0, 101.0))
    assert (two.open, two.start_at) == (one.close, one.end_at)
