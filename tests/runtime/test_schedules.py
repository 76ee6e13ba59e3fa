"""What holds under every schedule, however drawn: order on each edge, and what each actor sees."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.actor import Actor, ChildSpec, Context
from hydra.runtime.explore import ExploreOptions
from hydra.runtime.sim_runtime import SimRuntime
from messages.journal import WriteEntry
from tests.contracts.runtimes.actors import (
    Action,
    Do,
    DoUrgently,
    UrgentNote,
    note,
    scripted,
    tell,
)
from tests.contracts.runtimes.driver import SimDriver, child
from tests.runtime.planted import Model

options = st.builds(
    ExploreOptions,
    seed=st.integers(0, 2**32),
    delayed=st.floats(0, 1),
    heavy=st.floats(0, 0.5),
    delay_mean=st.integers(0, 5_000_000),
    service_mean=st.integers(0, 500_000),
    priority_changes=st.integers(0, 10),
    starved=st.sampled_from((0.0, 1.0)),
)


@settings(max_examples=60, deadline=None)
@given(options=options, bursts=st.lists(st.sampled_from("ab"), min_size=2, max_size=8))
def test_messages_of_one_sender_in_one_lane_never_overtake_each_other(
    options: ExploreOptions, bursts: list[str]
) -> None:
    log: list[str] = []
    system = SimDriver(SimRuntime(explore=options))
    system.start(*(scripted(name, log) for name in ("a", "b", "x", "y")))
    told: Counter[str] = Counter()
    log.clear()

    for sender in bursts:
        for receiver in ("x", "y"):
            numbers = range(told[sender], told[sender] + 3)
            both_lanes = [
                message
                for number in numbers
                for message in (
                    note(f"{sender} {number}"),
                    UrgentNote(text=f"{sender}! {number}"),
                )
            ]
            system.tell(child(sender), DoUrgently(action=tell(child(receiver), *both_lanes).action))
        told[sender] += 3
    system.until(lambda: len(log) == told.total() * 4)

    for receiver in ("x", "y"):
        for sender, lane in (("a", ""), ("a", "!"), ("b", ""), ("b", "!")):
            edge = f"{receiver}#1 {sender}{lane} "
            heard = [int(line.removeprefix(edge)) for line in log if line.startswith(edge)]
            assert heard == list(range(told[sender]))
        for sender in ("a", "b"):
            for number in range(1, told[sender]):
                urgent, after = (
                    f"{receiver}#1 {sender}! {number - 1}",
                    f"{receiver}#1 {sender} {number}",
                )
                assert log.index(urgent) < log.index(after)
    system.close()


class Writer(Actor[WriteEntry]):
    """Keeps the names of the lines."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def receive(self, message: WriteEntry, ctx: Context) -> None:
        self._lines.append(message.event)


@settings(max_examples=60, deadline=None)
@given(options=options, passes=st.integers(1, 6))
def test_lines_of_the_journal_come_in_the_order_in_which_they_were_said_whoever_said_them(
    options: ExploreOptions, passes: int
) -> None:
    lines: list[str] = []
    system = SimDriver(SimRuntime(explore=options, journal=child("writer")))
    writer = ChildSpec(name="writer", actor=Writer, args={"lines": lines})
    system.start(*(scripted(name, []) for name in ("a", "b")), writer)

    def say_and_pass_on(number: int) -> Action:
        def act(ctx: Context) -> None:
            ctx.log(f"line_{number}")
            if number < passes:
                other = child("ab"[number % 2])
                ctx.tell(other, Do(action=say_and_pass_on(number + 1)))

        return act

    system.tell(child("a"), Do(action=say_and_pass_on(1)))
    wanted = [f"line_{number}" for number in range(1, passes + 1)]
    system.until(lambda: set(wanted) <= set(lines))

    assert [line for line in lines if line in wanted] == wanted
    system.close()


def handled_by_actor(model: Model) -> dict[str, list[str]]:
    """What each actor handled, when, and why."""
    assert model.runtime.trace is not None
    handled: dict[str, list[str]] = {}
    for line in model.runtime.trace.lines:
        handled.setdefault(line.path, []).append(str(line))
    return handled


@pytest.mark.parametrize("seed", range(10))
def test_a_drawn_order_without_delays_gives_each_actor_what_the_canonical_order_does(
    seed: int,
) -> None:
    calm = ExploreOptions(
        seed=seed, delayed=0.0, edge_min=0, heavy=0.0, service_mean=0, timer_late_mean=0
    )

    drawn, canonical = Model(calm).run(), Model(None).run()

    assert handled_by_actor(drawn) == handled_by_actor(canonical)
