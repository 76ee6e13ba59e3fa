"""Lines for the journal from before there is a journal writer."""

from collections import deque
from typing import Any

from hydra.actor import Actor, ChildSpec, Context, Ref
from hydra.runtime.runtime import EARLY_ENTRIES
from hydra.runtime.sim_runtime import SimRuntime
from messages.journal import WriteEntry


class Writer(Actor[WriteEntry]):
    """Keeps what it is to write."""

    def __init__(self, written: list[str]) -> None:
        self._written = written

    def receive(self, message: WriteEntry, ctx: Context) -> None:
        self._written.append(message.event)


def writer(written: list[str]) -> ChildSpec:
    return ChildSpec(name="journal", actor=Writer, args={"written": written})


def waiting_in(runtime: SimRuntime) -> list[str]:
    """The lines that wait in the writer's mailbox."""
    mailbox = runtime.cells["/journal"].mailbox
    return [envelope.message.event for envelope in mailbox.user]


def test_early_lines_go_to_the_writer_in_order_when_it_comes() -> None:
    runtime = SimRuntime(journal=Ref("/journal"))
    for number in range(3):
        runtime.log(f"line {number}", "test", {})

    runtime.create_cell(writer([]), None)
    runtime.log("line 3", "test", {})

    assert waiting_in(runtime) == ["line 0", "line 1", "line 2", "line 3"]


def test_a_line_kept_in_the_very_moment_the_writer_came_is_not_left_behind() -> None:
    runtime = SimRuntime(journal=Ref("/journal"))

    class Slow(deque[Any]):
        """Between the look for the writer and the keeping of the line, the writer comes."""

        def append(self, line: Any) -> None:
            runtime.create_cell(writer([]), None)
            super().append(line)

    runtime._early = Slow()

    runtime.log("at the last moment", "test", {})

    assert waiting_in(runtime) == ["at the last moment"]


def test_early_lines_are_bounded_and_the_newest_stay() -> None:
    runtime = SimRuntime(journal=Ref("/journal"))

    for number in range(EARLY_ENTRIES + 5):
        runtime.log(f"line {number}", "test", {})
    runtime.create_cell(writer([]), None)

    assert waiting_in(runtime) == [f"line {n}" for n in range(5, EARLY_ENTRIES + 5)]


def test_without_a_journal_nothing_is_kept() -> None:
    runtime = SimRuntime()

    runtime.log("line", "test", {})

    assert len(runtime._early) == 0
