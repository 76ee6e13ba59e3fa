"""What a socket can be asked: its commands by name, and the way each of them is done.

The debug socket and the control socket differ in their tables, and in nothing else.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from hydra.ops.debug.asking import Caller
from hydra.ops.debug.describing import Refused, listed, some
from hydra.ops.debug.looking import Arguments
from hydra.runtime.runtime import Runtime


class Command(msgspec.Struct, frozen=True):
    """One line of a table."""

    takes: type[Arguments]
    does: Callable[[Runtime, Any, Caller], Any]

    @property
    def summary(self) -> str:
        """What it is for, in a sentence."""
        return (self.does.__doc__ or "").partition("\n")[0]


def listing(commands: Mapping[str, Command]) -> dict[str, Any]:
    """Every command and what it is for."""
    rows = [
        {
            "command": name,
            "takes": ", ".join(command.takes.__struct_fields__),
            "summary": command.summary,
        }
        for name, command in commands.items()
    ]
    return some(rows, len(rows))


class CommandTable(msgspec.Struct, frozen=True, kw_only=True):
    """The commands of the socket of this name.

    `urgent` ones do not wait their turn, unless everything is halted already. `elsewhere`: names
    that this socket has not and another one has; the text says which. `even_late` ones are done
    also when whoever asked has given up meanwhile: a halt can only be too late, never unwanted.
    """

    name: str
    commands: Mapping[str, Command]
    urgent: frozenset[str] = frozenset()
    even_late: frozenset[str] = frozenset()
    elsewhere: Mapping[str, str] = {}

    def execute(
        self, runtime: Runtime, name: str, arguments: Mapping[str, Any], caller: Caller
    ) -> Any:
        """Do it: gives plain data, or a `Stream` to be closed. Raises `Refused` with one line."""
        if name in self.elsewhere:
            raise Refused(f"refused: {self.elsewhere[name]}")
        command = self.commands.get(name)
        if command is None:
            there_are = ", ".join(sorted(self.commands))
            raise Refused(f"no such command: {name[:100]}; there are {there_are}")
        try:
            taken = msgspec.convert(dict(arguments), command.takes)
        except msgspec.ValidationError as error:
            wanted = listed(command.takes.__struct_fields__, 20) or "nothing"
            raise Refused(f"{name}: {error}; it takes {wanted}") from error
        return command.does(runtime, taken, caller)
