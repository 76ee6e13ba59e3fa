"""The settings one by one: each key with its value, its kind, and which way it is safer."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args, get_origin

from hydra.settings.kinds import ClockTime, Kind, Number, OffOr, WholeNumber
from hydra.settings.safer import Safer
from hydra.settings.schema import FILES
from hydra.settings.section import Section
from hydra.settings.whole import Settings, content_of


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting. `key` names a bot of a list by its id: `momentum_bots[mom_AAPL].enabled`."""

    file: str
    key: str
    value: object
    kind: Kind | None
    safer: Safer
    section: Section
    """The section in which it stands."""

    @property
    def text(self) -> str:
        """The value as the file would have it. Two values are the same if their texts are."""
        return written(content_of(self.value))

    @property
    def unit(self) -> str:
        """What a number counts, or where a time is read; empty for the rest."""
        match self.kind:
            case WholeNumber() | Number() | OffOr():
                return self.kind.unit
            case ClockTime():
                return "local time"
            case _:
                return ""

    @property
    def safer_text(self) -> str:
        """The safer direction in a word, or the safest choice by its name."""
        if self.safer is Safer.LAST and self.kind is not None:
            return self.kind.wanted.split()[-1]
        return self.safer.value


def entries_of(settings: Settings) -> Iterator[Entry]:
    """Every setting, in the order of the files."""
    for file, model in FILES:
        for name in model.model_fields:
            yield from _entries(file, settings, name, name)


def written(content: object) -> str:
    """Plain content as YAML in one line: `0.5`, `true`, `[SPY, QQQ]`, `{lookback: "10"}`."""
    match content:
        case dict():
            items = (f"{key}: {_parameter(content[key])}" for key in sorted(content))
            return f"{{{', '.join(items)}}}"
        case list():
            return f"[{', '.join(map(written, content))}]"
        case bool():
            return "true" if content else "false"
        case _:
            return str(content)


def _parameter(value: object) -> str:
    """Of a strategy: its text is in quotes, which tells it from a number."""
    return json.dumps(value, ensure_ascii=False)


def _entries(file: str, section: Section, name: str, key: str) -> Iterator[Entry]:
    value: object = getattr(section, name)
    field = type(section).model_fields[name]
    if isinstance(value, Section):
        for inner in type(value).model_fields:
            yield from _entries(file, value, inner, f"{key}.{inner}")
        return
    metadata = list(field.metadata)
    if get_origin(field.annotation) is tuple:
        item = get_args(field.annotation)[0]
        if isinstance(item, type) and issubclass(item, Section):
            assert isinstance(value, tuple)
            for bot in value:
                for inner in item.model_fields:
                    yield from _entries(file, bot, inner, f"{key}[{bot.bot_id}].{inner}")
            return
        metadata += getattr(item, "__metadata__", ())
    kind = next((each for each in metadata if isinstance(each, Kind)), None)
    (safer,) = (each for each in metadata if isinstance(each, Safer))
    yield Entry(file, key, value, kind, safer, section)
