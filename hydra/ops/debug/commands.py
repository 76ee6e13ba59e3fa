"""Every debug command by name: what it takes, and the function that does it on any runtime.

A new one is a function `(runtime, arguments, caller) -> data` and one line in `COMMANDS`.
"""

import os
from collections.abc import Mapping
from typing import Any

from hydra.ops.debug import acting, causality, looking, process, streams
from hydra.ops.debug.asking import Caller
from hydra.ops.debug.command_table import Command, CommandTable, listing
from hydra.ops.debug.describing import actor_row, below, market_text, some
from hydra.ops.debug.halting import Halt
from hydra.ops.debug.looking import NoArguments, OneActor, SomeActors
from hydra.runtime.runtime import Runtime

HERE = Caller()


def execute(
    runtime: Runtime, name: str, arguments: Mapping[str, Any], caller: Caller = HERE
) -> Any:
    """Do a debug command: see `CommandTable.execute`."""
    return DEBUG.execute(runtime, name, arguments, caller)


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
    return listing(COMMANDS)


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
    "halt": Command(Halt, acting.halt),
    "gil": Command(process.Watch, process.gil),
    "threads": Command(NoArguments, process.threads),
    "gc": Command(process.Collect, process.collections),
    "overview": Command(SomeActors, overview),
    "commands": Command(NoArguments, names),
}

ELSEWHERE = frozenset({"start", "stop", "restart", "quarantine", "delete", "arm", "flatten"})
"""What changes the engine: only the control socket does that."""

DEBUG = CommandTable(
    name="debug",
    commands=COMMANDS,
    urgent=frozenset({"halt"}),
    even_late=frozenset({"halt"}),
    elsewhere=dict.fromkeys(sorted(ELSEWHERE), "use the control socket"),
)
"""All that the debug socket can be asked. It halts, and has no way to let anybody trade (I85)."""
