"""Every debug command by name: what it takes, and the function that does it on any runtime.

A new one is a function `(runtime, arguments, caller) -> data` and one line in `COMMANDS`.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from hydra.ops.debug import acting, causality, looking, process, streams
from hydra.ops.debug.asking import Caller
from hydra.ops.debug.describing import Refused, actor_row, below, listed, market_text, some
from hydra.ops.debug.looking import Arguments, NoArguments, OneActor, SomeActors
from hydra.runtime.runtime import Runtime

HERE = Caller()
URGENT = "halt"
"""The one command that does not wait its turn, unless everything is halted already."""


class Command(msgspec.Struct, frozen=True):
    """One line of the table."""

    takes: type[Arguments]
    does: Callable[[Runtime, Any, Caller], Any]

    @property
    def summary(self) -> str:
        """What it is for, in a sentence."""
        return (self.does.__doc__ or "").partition("\n")[0]


def execute(
    runtime: Runtime, name: str, arguments: Mapping[str, Any], caller: Caller = HERE
) -> Any:
    """Do it: gives plain data, or a `Stream` to be closed. Raises `Refused` with one clear line."""
    if name in ELSEWHERE:
        raise Refused("refused: use the control socket")
    command = COMMANDS.get(name)
    if command is None:
        raise Refused(f"no such command: {name[:100]}; there are {', '.join(sorted(COMMANDS))}")
    try:
        taken = msgspec.convert(dict(arguments), command.takes)
    except msgspec.ValidationError as error:
        wanted = listed(command.takes.__struct_fields__, 20) or "nothing"
        raise Refused(f"{name}: {error}; it takes {wanted}") from error
    return command.does(runtime, taken, caller)


def overview(runtime: Runtime, arguments: SomeActors, _caller: Caller) -> dict[str, Any]:
    """What `debug top` shows, read in one go."""
    now = runtime.now()
    found = below(runtime, arguments.path)
    rows = [{"level": level, **actor_row(cell, now)} for level, cell in found]
    return some(
        rows,
        arguments.limit,
        now=now,
        at=market_text(runtime, now),
        pid=os.getpid(),
        gate=acting.gate(runtime, NoArguments(), HERE),
        dead_letters=streams.dead_letter_counts(runtime),
    )


def names(_runtime: Runtime, _arguments: NoArguments, _caller: Caller) -> dict[str, Any]:
    """Every command and what it is for."""
    rows = [
        {
            "command": name,
            "takes": ", ".join(command.takes.__struct_fields__),
            "summary": command.summary,
        }
        for name, command in COMMANDS.items()
    ]
    return some(rows, len(rows))


COMMANDS: dict[str, Command] = {
    "tree": Command(SomeActors, looking.tree),
    "mailboxes": Command(looking.Mailboxes, looking.mailboxes),
    "peek": Command(looking.Peek, looking.peek),
    "state": Command(looking.State, looking.state),
    "stack": Command(OneActor, looking.stack),
    "stacks": Command(NoArguments, process.stacks),
    "trace": Command(streams.Trace, streams.trace),
    "chain": Command(causality.Chain, causality.chain),
    "log": Command(looking.Log, looking.log),
    "stats": Command(SomeActors, looking.stats),
    "suspend": Command(acting.Hold, acting.suspend),
    "resume": Command(acting.Hold, acting.resume),
    "dead-letters": Command(streams.DeadLetters, streams.dead_letters),
    "history": Command(looking.History, looking.history),
    "timers": Command(SomeActors, looking.timers),
    "watchers": Command(SomeActors, looking.watchers),
    "asks": Command(SomeActors, looking.asks),
    "children": Command(OneActor, looking.children),
    "gate": Command(NoArguments, acting.gate),
    "halt": Command(acting.Halt, acting.halt),
    "gil": Command(process.Watch, process.gil),
    "threads": Command(NoArguments, process.threads),
    "gc": Command(process.Collect, process.collections),
    "overview": Command(SomeActors, overview),
    "commands": Command(NoArguments, names),
}

ELSEWHERE = frozenset({"start", "stop", "restart", "quarantine", "delete", "arm", "flatten"})
"""What changes the engine: only the control socket does that."""
