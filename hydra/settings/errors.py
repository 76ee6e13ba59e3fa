"""What is wrong with a configuration: one line for each error."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Loc: TypeAlias = tuple[str | int, ...]
"""Where in a document: the keys and list positions that lead there."""


@dataclass(frozen=True, slots=True)
class SettingsError:
    """One thing to mend. `line` counts from 1; it is None, and `key` empty, for a file as such."""

    file: Path
    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        place = str(self.file) if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class SettingsRefused(Exception):
    """The configuration is not fit to trade on, so nothing starts. Names every error found."""

    def __init__(self, errors: Iterable[SettingsError]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(str(error) for error in self.errors))


def key_of(loc: Loc) -> str:
    """As an operator would write it: `momentum_bots[0].exits.stop_loss_pct`."""
    key = ""
    for part in loc:
        if isinstance(part, int):
            key += f"[{part}]"
        else:
            key += ("." if key else "") + (part if _ORDINARY_KEY.fullmatch(part) else shown(part))
    return key


_ORDINARY_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


def shown(value: object) -> str:
    """What was found, fit for one line of a terminal: short, and without control characters."""
    match value:
        case None:
            return "no value (empty, ~ or null)"
        case str():
            return repr(str(value) if len(value) <= 40 else value[:37] + "...")
        case list() | tuple():
            return "a list"
        case dict():
            return "a section"
        case _:
            return repr(value)[:40]
