"""How a command of the CLI gets at the engine: the options they all have, errors in one line."""

import functools
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from hydra.ops.debug import render
from hydra.ops.debug.client import CommandFailed, DebugClient, NoEngine, connect
from hydra.ops.debug.render import Column, Row

DEFAULT_STATE = Path("state")
DEFAULT_TIMEOUT_S = 10.0


class Engine:
    """The engine that a command asks, and how its user wants to read the answer."""

    def __init__(self, state_dir: Path, socket: Path | None, timeout: float, *, json: bool) -> None:
        self._state_dir = state_dir
        self._socket = socket
        self._timeout = timeout
        self.json = json

    def connect(self, *, longer: float = 0.0) -> DebugClient:
        """A connection; `longer`: seconds that the answer takes by nature."""
        timeout = self._timeout + longer
        if self._socket is not None:
            return DebugClient(self._socket, timeout)
        return connect(self._state_dir, timeout)

    def ask(self, command: str, *, longer: float = 0.0, **arguments: Any) -> dict[str, Any]:
        """The answer to one command. What of a list was cut is said on the error output."""
        with self.connect(longer=longer) as client:
            data = client.call(command, **arguments)
        if data.get("cut"):
            typer.echo(f"note: shown are {data['cut']}", err=True)
        return data

    def table(
        self,
        command: str,
        columns: Sequence[Column],
        *,
        nothing: str,
        longer: float = 0.0,
        **arguments: Any,
    ) -> dict[str, Any]:
        """Ask and show the rows."""
        data = self.ask(command, longer=longer, **arguments)
        if self.json:
            write_json(data["rows"])
        else:
            render.show_table(columns, data["rows"], nothing=nothing)
        return data

    def events(self, command: str, **arguments: Any) -> Iterator[Row]:
        """What goes on, until it ends or the user ends it."""
        with self.connect() as client:
            try:
                events = client.stream(command, **arguments)
                if render.has_terminal():
                    typer.echo("looking; Ctrl-C ends it", err=True)
                for event in events:
                    yield event
                    sys.stdout.flush()  # whoever reads our output should see it as it happens
            except KeyboardInterrupt:  # the usual end
                return


def write_json(data: Any, *, line: bool = False) -> None:
    """Data for a program: indented, or in one line where lines follow one another."""
    option = orjson.OPT_APPEND_NEWLINE | (0 if line else orjson.OPT_INDENT_2)
    render.write(orjson.dumps(data, option=option).decode().removesuffix("\n"))


StateDir = Annotated[
    Path | None,
    typer.Option(
        "--state-dir",
        metavar="DIR",
        help="Where the engine keeps its state; also looked for in its folders embedded and live."
        " Default: state.",
    ),
]
SocketPath = Annotated[
    Path | None,
    typer.Option("--socket", metavar="PATH", help="The debug socket itself, wherever it is."),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout", metavar="SECONDS", min=0.1, help="Wait so long for an answer. Default: 10."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON, for programs.")]


def _common(
    context: typer.Context,
    state_dir: StateDir = None,
    socket: SocketPath = None,
    timeout: Timeout = None,
    json: Json = False,
) -> Engine:
    """The options that every command has. What is not said here may be said before the verb."""
    before: dict[str, Any] = context.obj or {}
    return Engine(
        state_dir or before.get("state_dir") or DEFAULT_STATE,
        socket or before.get("socket"),
        timeout or before.get("timeout") or DEFAULT_TIMEOUT_S,
        json=json or bool(before.get("json")),
    )


def asks_engine(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the common options, and it the `Engine` made of them as its first argument.

    A decorator, because otherwise the same four parameters would stand in thirty signatures. What
    the engine refuses, and that there is none, becomes one line and exit code 1.
    """
    common = inspect.signature(_common).parameters
    own = inspect.signature(function)

    @functools.wraps(function)
    def command(**options: Any) -> None:
        engine = _common(**{name: options.pop(name) for name in common})
        try:
            function(engine, **options)
        except (NoEngine, CommandFailed) as failure:
            typer.echo(render.clean(str(failure)), err=True)
            raise typer.Exit(1) from failure

    parameters = [*list(own.parameters.values())[1:], *common.values()]
    keyword_only = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
    # typer reads the options from here; that a function may have it, type checkers do not know.
    command.__signature__ = own.replace(parameters=keyword_only)  # type: ignore[attr-defined]
    return command


_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|min)?")
_UNITS = {"ms": 1, "s": 1_000, None: 1_000, "m": 60_000, "min": 60_000}


def milliseconds(text: str | int) -> int:
    """`5s`, `500ms`, `2m`; a bare number is seconds. A default comes as the number it is."""
    if isinstance(text, int):
        return text
    parsed = _DURATION.fullmatch(text.strip())
    if parsed is None:
        raise typer.BadParameter(f"{text!r} is not a duration such as 5s, 500ms or 2m")
    return int(float(parsed[1]) * _UNITS[parsed[2]])


def time_option(name: str, default: str, meaning: str) -> Any:
    """An option that takes a duration; its value is milliseconds."""
    return typer.Option(
        name,
        parser=milliseconds,
        metavar="TIME",
        show_default=False,  # it would be written as a bare number of milliseconds
        help=f"{meaning} Default: {default}.",
    )


def a_second(text: str | int) -> int:
    """`50/s`, or `50`. A default comes as the number it is."""
    if isinstance(text, int):
        return text
    number = text.strip().removesuffix("/s")
    if not number.isdecimal():
        raise typer.BadParameter(f"{text!r} is not a rate such as 50/s")
    return int(number)
