"""`debug top`: the whole engine on one screen, again and again; once, where nobody looks."""

import os
import select
import sys
import termios
import time
import tty
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import msgspec

from hydra.ops.debug.client import DebugClient
from hydra.ops.debug.render import (
    Column,
    Row,
    cell,
    clean,
    duration,
    has_terminal,
    number,
    span,
    style_of,
    text,
    write,
)

SECOND_NS = 1e9
CAUSES_SHOWN = 4
WIDE = 120
"""From this width on there is room for more columns."""

SORTS = ("tree", "depth", "age", "rate", "busy")
_ORDERS: dict[str, Callable[[Row], float]] = {
    "depth": lambda row: -row["depth"] - row["control_depth"],
    "age": lambda row: -row["oldest_ms"],
    "rate": lambda row: -(row["rate"] or 0),
    "busy": lambda row: -row["busy_ms"],
}

NARROW_COLUMNS = (
    text("STATUS", "status"),
    number("DEPTH", "depth"),
    span("AGE", "oldest_ms"),
    number("MSG/S", "rate"),
    span("BUSY", "busy_ms"),
    number("RESTARTS", "restarts"),
)
WIDE_COLUMNS = (
    text("STATUS", "status"),
    number("DEPTH", "depth"),
    number("CONTROL", "control_depth"),
    span("AGE", "oldest_ms"),
    number("MOST", "high_water"),
    number("MSG/S", "rate"),
    number("HANDLED", "processed"),
    span("BUSY", "busy_ms"),
    number("RESTARTS", "restarts"),
    number("FAILED", "failures"),
    number("REJECTED", "rejected"),
)
_WIDTHS = {
    "STATUS": 11,
    "DEPTH": 6,
    "CONTROL": 7,
    "AGE": 6,
    "MOST": 6,
    "MSG/S": 7,
    "HANDLED": 13,
    "BUSY": 6,
    "RESTARTS": 8,
    "FAILED": 6,
    "REJECTED": 9,
}
"""Fixed, so that nothing jumps about while one looks."""
NAME_MIN, NAME_MAX = 16, 60


class Line(msgspec.Struct, frozen=True):
    """One line of the screen, and how it looks."""

    text: str
    style: str = ""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """How it is to be shown. `width` and `height` None: all there is, for a file."""

    width: int | None = None
    height: int | None = None
    sort: str = "tree"
    paused: bool = False
    keys: bool = False


def show(client: DebugClient, path: str, every: float, *, once: bool) -> None:
    """Look until the user has seen enough. Raises what the client raises."""
    data = client.call("overview", path=path)
    if once or not has_terminal():
        for line in picture(with_rates(data, None), View()):
            write(line.text)
        return
    try:
        _watch(client, path, every, data)
    except KeyboardInterrupt:  # as good as q
        return


def _watch(client: DebugClient, path: str, every: float, data: Row) -> None:
    from rich.console import Console, Group  # 100 ms that the plain text does not need
    from rich.live import Live
    from rich.text import Text

    console = Console()
    shown, paused, sort = with_rates(data, None), False, 0
    with _Keys() as keys, Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            width, height = console.size
            view = View(
                width=width, height=height, sort=SORTS[sort], paused=paused, keys=keys.are_read
            )
            lines = picture(shown, view)
            texts = [Text(line.text, style=line.style, no_wrap=True) for line in lines]
            live.update(Group(*texts), refresh=True)
            match keys.wait(every):
                case "q":
                    return
                case "s":
                    sort = (sort + 1) % len(SORTS)
                    continue
                case "p":
                    paused = not paused
                    continue
                case _:
                    pass
            if not paused:
                before, data = data, client.call("overview", path=path)
                shown = with_rates(data, before)


def with_rates(data: Row, before: Row | None) -> Row:
    """The overview, with how many messages a second each actor handled since the one before.

    None where there is none to compare with.
    """
    then = {} if before is None else {row["path"]: row["processed"] for row in before["rows"]}
    seconds = 0.0 if before is None else (data["now"] - before["now"]) / SECOND_NS
    rows = []
    for row in data["rows"]:
        rate = None
        if seconds > 0 and row["path"] in then:
            rate = round(max(0, row["processed"] - then[row["path"]]) / seconds)
        rows.append({**row, "rate": rate})
    return {**data, "rows": rows}


def picture(data: Row, view: View) -> list[Line]:
    """The screen from top to bottom: the gate, what is wrong, the actors."""
    head = [_title(data, view), *_gate(data["gate"]), _letters(data), *_hung(data)]
    columns = NARROW_COLUMNS if view.width is not None and view.width < WIDE else WIDE_COLUMNS
    rows = _sorted(data["rows"], view.sort)
    room = len(rows) if view.height is None else max(1, view.height - len(head) - 2)
    left_out = 0
    if len(rows) > room:
        room = max(1, room - 1)
        left_out = len(rows) - room
    top = str(data["rows"][0]["path"]) if data["rows"] else ""
    names = [_name(row, top, tree=view.sort == "tree") for row in rows[:room]]
    name_width = _name_width(names, columns, view.width)
    titles = [_padded(column.title, column) for column in columns]
    lines = [*head, Line(""), Line("  ".join(["ACTOR".ljust(name_width), *titles]), "bold")]
    for name, row in zip(names, rows, strict=False):
        cells = [_padded(_written(row, each), each) for each in columns]
        lines.append(
            Line("  ".join([_cut(name, name_width).ljust(name_width), *cells]), style_of(row))
        )
    if left_out:
        narrower = "s sorts, a PATH shows less" if view.keys else "a PATH shows less"
        lines.append(Line(f"… and {left_out} more: {narrower}", "dim"))
    return [_fitting(line, view.width) for line in lines]


def _title(data: Row, view: View) -> Line:
    clock = data["at"][11:19]
    said = [f"HYDRA pid {data['pid']}", f"{clock} UTC", f"{data['total']} actors by {view.sort}"]
    if view.paused:
        said.append("PAUSED")
    if view.keys:
        said.append("q quit, s sort, p pause")
    return Line("   ".join(said), "reverse" if view.paused else "dim")


def _gate(gate: Row) -> list[Line]:
    lease = gate["lease"] if gate["lease_ms"] is None else duration(gate["lease_ms"])
    said = [f"gate  {gate['state']}", f"epoch {gate['epoch']}"]
    said.append(f"lease {'NONE' if gate['lease'] == 'none' else lease}")
    said.append(f"in flight {len(gate['in_flight'])}")
    said += [f"passed {gate['passed']:,}", f"refused {gate['refused']:,}"]
    if gate["flatten"]:
        said.append("FLATTEN in force")
    style = {"ACTIVE": "bold green", "CLOSE_ONLY": "bold yellow"}.get(gate["state"], "bold red")
    lines = [Line("   ".join(said), style if gate["lease"] != "none" else "bold red")]
    if gate["failed_closed"]:
        lines.append(Line(clean(f"      FAILED CLOSED: {gate['failed_closed']}"), "bold red"))
    causes = gate["causes"]
    for cause in causes[:CAUSES_SHOWN]:
        what = f"{cause['state']} by {cause['code']} ({cause['class']}): {cause['detail']}"
        lines.append(
            Line(clean(f"      {what}"), "red" if cause["state"] == "HALTED" else "yellow")
        )
    if len(causes) > CAUSES_SHOWN:
        lines.append(Line(f"      and {len(causes) - CAUSES_SHOWN} more causes", "red"))
    return lines


def _letters(data: Row) -> Line:
    letters: Mapping[str, Any] = data["dead_letters"]
    kinds = ", ".join(f"{reason} {count:,}" for reason, count in letters["by_reason"].items())
    return Line(clean(f"dead letters {letters['ever']:,}" + (f": {kinds}" if kinds else "")))


def _hung(data: Row) -> list[Line]:
    hung = [str(row["path"]) for row in data["rows"] if row["hangs"]]
    return [Line(clean(f"HANGS {', '.join(hung)}"), "bold red")] if hung else []


def _sorted(rows: Sequence[Row], sort: str) -> list[Row]:
    order = _ORDERS.get(sort)
    return list(rows) if order is None else sorted(rows, key=order)


def _name(row: Row, top: str, *, tree: bool) -> str:
    path = clean(str(row["path"]))
    if row["level"] == 0:
        return path
    if not tree:
        return path.removeprefix(f"{clean(top)}/")
    return f"{'  ' * row['level']}{path.rpartition('/')[2]}"


def _written(row: Row, column: Column) -> str:
    """As in a table, but with a 0 being easy to overlook."""
    is_nothing = row.get(column.key) == 0 and column.form in ("count", "ms")
    return "·" if is_nothing else cell(row, column)


def _name_width(names: Sequence[str], columns: Sequence[Column], width: int | None) -> int:
    wanted = max(map(len, (*names, "ACTOR")))
    if width is None:
        return wanted
    taken = sum(_WIDTHS[column.title] + 2 for column in columns)
    return max(NAME_MIN, min(wanted, NAME_MAX, width - taken))


def _padded(content: str, column: Column) -> str:
    width = _WIDTHS[column.title]
    if column.form == "text":
        return _cut(content, width).ljust(width)
    return content.rjust(width)


def _cut(content: str, width: int) -> str:
    """The content with its end kept, because that is where names differ."""
    return content if len(content) <= width else f"…{content[1 - width :]}"


def _fitting(line: Line, width: int | None) -> Line:
    content = line.text.rstrip()
    if width is not None and len(content) > width:
        content = f"{content[: width - 1]}…"
    return Line(content, line.style)


class _Keys:
    """Single keys from the terminal, as they are pressed; none where there is no terminal."""

    def __init__(self) -> None:
        self.are_read = sys.stdin.isatty()
        self._before: list[Any] | None = None

    def __enter__(self) -> Self:
        if self.are_read:
            self._before = termios.tcgetattr(sys.stdin)
            tty.setcbreak(sys.stdin)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if self._before is not None:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._before)

    def wait(self, seconds: float) -> str | None:
        """The next key, waited for so long; None if there was none."""
        if not self.are_read:
            time.sleep(seconds)
            return None
        ready, _, _ = select.select([sys.stdin], [], [], seconds)
        return os.read(sys.stdin.fileno(), 32).decode(errors="replace") if ready else None
