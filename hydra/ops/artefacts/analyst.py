"""A session in one text, for whoever is asked to judge it from outside: a person or a model (G6).

It begins with what is asked of them. Whose account it was is nobody's business there, so its number
is taken out with the keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources

import msgspec

from hydra.ops.artefacts.entries import DENIED
from hydra.store.redaction import Redactor

LINES_MAX = 400
"""Of each table and of what was said: the newest. A model's memory is not without end."""

_LEFT_OUT = (
    "decided_at_ns client_order_id venue_order_id accepted_at_ns over_at_ns opened_at_ns"
    " closed_at_ns entry_order exit_order"
)
"""Columns that tell an outsider nothing: times once more, and names."""
_HEARTBEAT = "... "
"""Begins the line that a session says every so often."""


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """What of a session is shown. Rows are by column, the oldest first. `settings` are the files
    that were in force, by their names; none: they are not known any more.
    """

    page: str
    settings: Mapping[str, str]
    trades: Sequence[Mapping[str, str]]
    orders: Sequence[Mapping[str, str]]
    said: Sequence[str]


def prompt() -> str:
    """What is asked of whoever reads it."""
    return resources.files("hydra.ops.artefacts").joinpath("analyst_prompt.txt").read_text("utf-8")


def dossier_text(dossier: Dossier, redactor: Redactor) -> str:
    """The whole text, without what the redactor knows."""
    report = "\n".join(line for line in dossier.page.splitlines() if not line.startswith("!["))
    said = [line for line in dossier.said if not line.startswith(_HEARTBEAT)]
    parts = [
        prompt(),
        _part("The report", [report]),
        *(
            _part(f"Settings in force: {name}", text.splitlines())
            for name, text in dossier.settings.items()
        ),
        _part("Closed trades", _newest(list(_table(dossier.trades)), head=1)),
        _part(
            "Orders, and the first refused intent of each kind",
            _newest(list(_table(_told_apart(dossier.orders))), head=1),
        ),
        _part("What was said while it ran", _newest(said)),
    ]
    return redactor.text("\n".join(parts))


def _part(title: str, lines: Iterable[str]) -> str:
    return "\n".join([f"===== {title} =====", "", *lines, ""])


def _told_apart(orders: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """Every order, and of what was refused for one reason again and again the first: how often is
    in the report.
    """
    seen = set[tuple[str, ...]]()
    kept = list[Mapping[str, str]]()
    for row in orders:
        check = row["status_reason"].partition(":")[0]
        kind = (row["bot"], row["symbol"], row["role"], check)
        if row["status"] != DENIED or kind not in seen:
            kept.append(row)
        if row["status"] == DENIED:
            seen.add(kind)
    return kept


def _table(rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """As text with bars between the columns; a column that is empty throughout is left out."""
    if not rows:
        yield "none"
        return
    left_out = set(_LEFT_OUT.split())
    columns = [name for name in rows[0] if name not in left_out and any(row[name] for row in rows)]
    yield " | ".join(columns)
    for row in rows:
        yield " | ".join(_short(row[name]) for name in columns)


def _short(cell: str) -> str:
    """A moment to the second: its fractions are noise to a reader."""
    is_moment = len(cell) > 20 and cell[10:11] == "T" and cell.endswith("Z")
    return f"{cell[:19]}Z" if is_moment else cell


def _newest(lines: list[str], head: int = 0) -> list[str]:
    """The first `head` of them and the newest, and how many are left out."""
    left_out = len(lines) - head - LINES_MAX
    if left_out <= 0:
        return lines
    return [*lines[:head], f"({left_out} earlier lines are left out)", *lines[head + left_out :]]
