"""What both runtimes promise about publishing, watching, causes, names, and the journal."""

from hydra.actor import Actor, ChildSpec, Context, Ref
from hydra.runtime.cell import Cell
from messages.journal import WriteEntry
from messages.lifecycle import StopChild
from messages.message import Message
from tests.contracts.runtimes.actors import Do, boom, note, scripted, tell
from tests.contracts.runtimes.driver import ROOT, Driver, child

A, B, C = child("a"), child("b"), child("c")
SUBSCRIBE = Do(action=lambda ctx: ctx.subscribe("topic"))


def publish(text: str) -> Do:
    return Do(action=lambda ctx: ctx.publish("topic", note(text)))


def test_every_subscriber_is_told_once(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log), scripted("b", log), scripted("c", log))
    for ref in (A, B):
        system.tell(ref, SUBSCRIBE, SUBSCRIBE, note("ready"))
    system.until(lambda: len(log) == 5)

    system.tell(C, publish("news"))

    system.until(lambda: len(log) == 7)
    assert sorted(log[5:]) == ["a#1 news", "b#1 news"]


def test_whoever_unsubscribed_is_not_told(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log), scripted("b", log))
    system.tell(A, SUBSCRIBE, Do(action=lambda ctx: ctx.unsubscribe("topic")), note("ready"))
    system.until_logged(log, "a#1 ready")

    system.tell(B, publish("news"), tell(A, note("end")))

    system.until_logged(log, "a#1 end")
    assert "a#1 news" not in log


def test_a_subscription_survives_a_restart(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log), scripted("b", log))
    system.tell(A, SUBSCRIBE, boom(), note("ready"))
    system.until_logged(log, "a#2 ready")

    system.tell(B, publish("news"))

    system.until_logged(log, "a#2 news")


def test_a_stopped_actor_is_subscribed_to_nothing(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))
    system.tell(A, SUBSCRIBE, note("ready"))
    system.until_logged(log, "a#1 ready")

    system.ask(ROOT, StopChild(name="a"))

    system.until(lambda: system.is_gone(A))
    assert system.runtime.bus.subscribers("topic") == ()


def test_a_watcher_is_told_once_when_the_watched_is_gone_for_good(
    system: Driver, log: list[str]
) -> None:
    system.start(scripted("a", log), scripted("b", log))
    watch = Do(action=lambda ctx: ctx.watch(B))
    system.tell(A, watch, watch, note("watching"))
    system.until_logged(log, "a#1 watching")
    system.suspend(B)  # it has heard all that was said to it before

    system.ask(ROOT, StopChild(name="b"))

    system.until(lambda: any(line.startswith("a#1 terminated") for line in log))
    system.tell(A, note("end"))
    system.until_logged(log, "a#1 end")
    assert sum(line.startswith("a#1 terminated /root/b#1") for line in log) == 1


def test_a_restart_is_not_an_end_for_a_watcher(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log), scripted("b", log))
    system.tell(A, Do(action=lambda ctx: ctx.watch(B)))
    system.until(lambda: A.path in system.cell(B).watchers)

    system.tell(B, boom(), tell(A, note("b is back")))

    system.until_logged(log, "a#1 b is back")
    assert not any("terminated" in line for line in log)
    assert A.path in system.cell(B).watchers


def test_watching_where_nobody_lives_is_answered(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))

    system.tell(A, Do(action=lambda ctx: ctx.watch(child("nobody"))))

    system.until_logged(log, "a#1 terminated /root/nobody#0: nobody lives there")


def test_a_watcher_that_looks_away_is_not_told(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log), scripted("b", log))
    system.tell(A, Do(action=lambda ctx: ctx.watch(B)))
    system.until(lambda: A.path in system.cell(B).watchers)
    system.tell(A, Do(action=lambda ctx: ctx.unwatch(B)))
    system.until(lambda: A.path not in system.cell(B).watchers)

    system.ask(ROOT, StopChild(name="b"))
    system.until(lambda: system.is_gone(B))
    system.tell(A, note("end"))

    system.until_logged(log, "a#1 end")
    assert not any("terminated" in line for line in log)


class Noting(Actor[Message]):
    """Keeps the envelopes of what it is told, by way of its context."""

    def __init__(self, seen: list[object]) -> None:
        self._seen = seen

    def receive(self, message: Message, ctx: Context) -> None:
        self._seen.append(ctx.envelope)  # type: ignore[attr-defined]  # the runtime's own context


def test_a_message_knows_its_sender_its_cause_and_its_order(system: Driver, log: list[str]) -> None:
    seen: list[object] = []
    noting = ChildSpec(name="c", actor=Noting, args={"seen": seen})
    system.start(scripted("a", log), scripted("b", log), noting)
    pass_on = tell(C, note("end of the chain"))

    system.tell(A, Do(action=lambda ctx: ctx.tell(B, pass_on, corr="order-1")))

    system.until(lambda: len(seen) == 1)
    (envelope,) = seen
    assert envelope.id == ("/root/b", 1, 1)  # type: ignore[attr-defined]
    assert envelope.cause == ("/root/a", 1, 1)  # type: ignore[attr-defined]
    assert envelope.corr == "order-1"  # type: ignore[attr-defined]


def test_no_two_messages_have_the_same_identity(system: Driver, log: list[str]) -> None:
    seen: list[object] = []
    noting = ChildSpec(name="c", actor=Noting, args={"seen": seen})
    system.start(scripted("a", log), noting)
    chatter = tell(C, *(note(n) for n in range(5)))

    system.tell(A, chatter, boom(), chatter, Do(action=lambda ctx: ctx.after(0, chatter)))
    system.tell(C, note("from outside"), note("from outside"))

    system.until(lambda: len(seen) == 17)
    ids = [envelope.id for envelope in seen]  # type: ignore[attr-defined]
    assert len(set(ids)) == 17
    assert {(path, incarnation) for path, incarnation, _ in ids} == {
        ("/root/a", 1),
        ("/root/a", 2),
        ("~runtime", 0),
    }


def test_names_made_by_an_actor_never_repeat(system: Driver, log: list[str]) -> None:
    system.start(scripted("a", log))
    names: list[str] = []
    make = Do(action=lambda ctx: names.extend((ctx.new_id(), ctx.new_id())))

    system.tell(A, make, boom(), make, note("end"))

    system.until_logged(log, "a#2 end")
    assert len(set(names)) == 4
    assert all(name.startswith("/root/a#") for name in names)


def test_a_line_logged_before_the_journal_writer_lives_is_written_when_it_does(
    system: Driver, log: list[str]
) -> None:
    seen: list[object] = []
    system.runtime._journal = Ref("/root/journal")
    logging = scripted("a", log, on_start=lambda ctx: ctx.log("hello", number=1))
    system.start(logging, ChildSpec(name="journal", actor=Noting, args={"seen": seen}))

    system.tell(A, Do(action=lambda ctx: ctx.log("bye")))

    def own_lines() -> list[tuple[str, str, object]]:
        entries = [envelope.message for envelope in list(seen)]  # type: ignore[attr-defined]
        assert all(isinstance(entry, WriteEntry) for entry in entries)
        return [(e.event, e.source, dict(e.fields)) for e in entries if e.source == "/root/a"]

    system.until(lambda: any(line[0] == "bye" for line in own_lines()))
    assert [line for line in own_lines() if line[0] in ("hello", "bye")] == [
        ("hello", "/root/a", {"number": 1}),
        ("bye", "/root/a", {}),
    ]
    assert isinstance(system.cell(A), Cell)
