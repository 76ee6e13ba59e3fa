"""`--set KEY=VALUE`: the configuration of the files with some of its values replaced.

Keys are those that `config show` prints; a bot of a list may be named in either way:
`momentum_bots[mom_AAPL].exits.stop_loss_pct` and `momentum_bots.mom_AAPL.exits.stop_loss_pct`. A
parameter of a strategy is a key of its own: `momentum_bots.mom_AAPL.signal.params.fast_bars`.

A value is what the file would have there, and it is put there before anything is checked, so what
the schema refuses in a file it refuses here. Several values between commas (`KEY=1,2,5`) are as
many runs; the same key given again adds values to it. Of several keys every value meets every
other: the first key changes slowest. A value with commas of its own is a list in brackets or a text
in quotes: `optionsbot.tickers=[SPY, QQQ],[SPY]` are two.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from itertools import product
from pathlib import Path
from typing import TypeAlias, get_origin

import msgspec

from hydra.settings import Settings, SettingsError, SettingsRefused, VenueName
from hydra.settings.errors import Loc, key_of, shown
from hydra.settings.loading import Documents, documents_in, settings_of
from hydra.settings.schema import FILES, places
from hydra.settings.section import PluginCheck, SignalCheck
from hydra.settings.strict_yaml import Document, Quoted, parsed

RUNS_MAX = 10_000
"""More than that is a slip of the keys rather than a plan."""
NEAREST_MAX = 3

_IN_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_PARAMETER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SETTLED = {"broker.venue": "a replay trades on the simulated venue, whatever the files say"}
"""What is not to be set, with the reason."""


class BadOverride(ValueError):
    """What `--set` asks for is not to be had. The message is one line."""


class Chosen(msgspec.Struct, frozen=True):
    """One value for one key. `text` is the value as a file would have it."""

    key: str
    text: str
    value: object
    loc: Loc

    def __str__(self) -> str:
        return f"{self.key}={self.text}"


Choice: TypeAlias = tuple[Chosen, ...]
"""The values of one run, one for each key."""


class Grid(msgspec.Struct, frozen=True):
    """Every choice there is, in the order in which they were asked for."""

    keys: tuple[str, ...]
    choices: tuple[Choice, ...]

    @property
    def varied(self) -> tuple[str, ...]:
        """The keys that have several values."""
        return tuple(
            key
            for place, key in enumerate(self.keys)
            if len({choice[place].text for choice in self.choices}) > 1
        )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a setting stands. `is_open`: it holds keys that the schema does not name."""

    key: str
    loc: Loc
    is_open: bool


@dataclass(frozen=True, slots=True)
class Configurable:
    """A configuration that is fit by itself, and what can be made of it."""

    documents: Documents
    venue: VenueName | None = None
    signal_check: SignalCheck | None = None
    plugin_check: PluginCheck | None = None

    @classmethod
    def read(
        cls,
        config_dir: Path,
        *,
        venue: VenueName | None = None,
        signal_check: SignalCheck | None = None,
        plugin_check: PluginCheck | None = None,
    ) -> Configurable:
        """That of a folder; see `load_settings`. Raises `SettingsRefused` if it is not fit."""
        found = cls(documents_in(config_dir), venue, signal_check, plugin_check)
        found.settings()
        return found

    def grid(self, asked: Sequence[str]) -> Grid:
        """What these words (`KEY=VALUES`) ask for: every combination. Nothing asked: one choice.

        Raises `BadOverride` for what cannot be understood, for a key that there is not, and for two
        of which one is a part of the other. Whether the values are fit `settings` says.
        """
        known = _known(self.documents)
        values: dict[str, list[Chosen]] = {}
        for text in asked:
            place, found = _read(text, known)
            told = values.setdefault(place.key, [])
            for value in found:
                chosen = Chosen(place.key, _written(value), value, place.loc)
                if chosen.text in {each.text for each in told}:
                    raise BadOverride(
                        f"--set {shown(text)}: found {chosen} twice; wanted each value once; "
                        "leave one out"
                    )
                told.append(chosen)
        _require_apart(list(values))
        count = math.prod(map(len, values.values()))
        if count > RUNS_MAX:
            raise BadOverride(
                f"found {count} combinations of --set; wanted at most {RUNS_MAX}; give fewer values"
            )
        return Grid(tuple(values), tuple(product(*values.values())))

    def settings(self, choice: Choice = ()) -> Settings:
        """The configuration with these values. Raises `BadOverride` if it is not fit with them, and
        `SettingsRefused` if it is not without.
        """
        try:
            return settings_of(
                _amended(self.documents, choice),
                venue=self.venue,
                signal_check=self.signal_check,
                plugin_check=self.plugin_check,
            )
        except SettingsRefused as refused:
            if not choice:
                raise
            raise BadOverride(_told(choice, refused.errors)) from refused


def _read(text: str, known: Mapping[str, _Place]) -> tuple[_Place, list[object]]:
    """The place that is meant, and the values for it. Raises."""
    key, equals, values = text.partition("=")
    if not equals:
        raise BadOverride(
            f"--set {shown(text)}: found no value; wanted KEY=VALUE, such as "
            "risk.max_orders_per_minute=5; correct it"
        )
    place = _place_of(key.strip(), known)
    return place, _values(place.key, values)


def _values(key: str, text: str) -> list[object]:
    """What stands between the commas, as the file's own reader takes it. Raises."""
    said = "it has characters that are not allowed"
    if text.isprintable():
        document = parsed(f"values: [{text}]\n")
        values = None if document.data is None else document.data["values"]
        if isinstance(values, list) and values and not document.problems:
            return values
        said = next((problem.message for problem in document.problems), "it is empty")
    raise BadOverride(
        f"--set {key}={shown(text)}: {said}; wanted a value as the file would have it, or several "
        "between commas; put a text with odd characters in quotes"
    )


def _place_of(key: str, known: Mapping[str, _Place]) -> _Place:
    """Raises `BadOverride` with the nearest keys that there are."""
    name = _name_of(key)
    if name in _SETTLED:
        raise BadOverride(f"--set {name}: found a setting that is settled: {_SETTLED[name]}")
    if name in known:
        return known[name]
    home, _, parameter = name.rpartition(".")
    if home in known and known[home].is_open and _PARAMETER.fullmatch(parameter):
        within = known[home]
        return _Place(f"{within.key}.{parameter}", (*within.loc, parameter), is_open=False)
    raise BadOverride(f"--set {shown(key)}: no such setting; {_nearest(name, known)}")


def _nearest(name: str, known: Mapping[str, _Place]) -> str:
    inside = [place.key for other, place in known.items() if other.startswith(f"{name}.")]
    if inside:
        return f"it is a section; wanted one setting of it, such as {inside[0]}"
    last = name.rpartition(".")[2]
    near = get_close_matches(name, known, n=NEAREST_MAX, cutoff=0.7) or [
        other for other in known if other.rpartition(".")[2] == last
    ]
    if near:
        return f"did you mean {' or '.join(known[each].key for each in near[:NEAREST_MAX])}?"
    return "wanted a key as `hydra-trader config show` prints it"


def _known(documents: Documents) -> dict[str, _Place]:
    """Every setting there is to set, by its name with dots alone."""
    by_file = {"settings.yaml": documents.engine, "bots.yaml": documents.bots}
    return {
        _name_of(place.key): place for file, _ in FILES for place in _places_in(file, by_file[file])
    }


def _places_in(file: str, document: Document) -> Iterator[_Place]:
    data = document.data or {}
    for path, field in places(dict(FILES)[file]):
        is_open = get_origin(field.annotation) is Mapping
        many, is_list, rest = path.partition("[].")
        if not is_list:
            yield _Place(path, tuple(path.split(".")), is_open)
            continue
        listed = data.get(many)
        for number, bot in enumerate(listed if isinstance(listed, list) else ()):
            bot_id = bot.get("bot_id") if isinstance(bot, dict) else None
            if isinstance(bot_id, str):
                loc: Loc = (many, number, *rest.split("."))
                yield _Place(f"{many}[{bot_id}].{rest}", loc, is_open)


def _name_of(key: str) -> str:
    return _IN_BRACKETS.sub(r".\1", key)


def _require_apart(keys: Sequence[str]) -> None:
    for one in keys:
        for other in keys:
            if other.startswith(f"{one}."):
                raise BadOverride(
                    f"found --set of {one} and of {other}, which is a part of it; wanted one of the"
                    " two; leave the other out"
                )


def _amended(documents: Documents, choice: Choice) -> Documents:
    engine, bots = documents.engine, documents.bots
    of_engine = dict(FILES)["settings.yaml"].model_fields
    for chosen in choice:
        if chosen.loc[0] in of_engine:
            engine = replace(engine, data=_put(engine.data, chosen.loc, chosen.value))
        else:
            bots = replace(bots, data=_put(bots.data, chosen.loc, chosen.value))
    return replace(documents, engine=engine, bots=bots)


def _put(data: object, loc: Loc, value: object) -> Mapping[str, object]:
    """A copy with the value at that place; sections that are left out in the file are made."""
    found = _put_in(data, loc, value)
    assert isinstance(found, dict), "the top of a document has keys"
    return found


def _put_in(data: object, loc: Loc, value: object) -> object:
    if not loc:
        return value
    step, rest = loc[0], loc[1:]
    if isinstance(step, int):
        assert isinstance(data, list), "the place was found in this very document"
        return [*data[:step], _put_in(data[step], rest, value), *data[step + 1 :]]
    section = data if isinstance(data, dict) else {}
    return {**section, step: _put_in(section.get(step), rest, value)}


def _told(choice: Choice, errors: Sequence[SettingsError]) -> str:
    """What is wrong, in one line: at the values that were set, or at others because of them."""
    own: list[str] = []
    others: list[str] = []
    for error in errors:
        at_fault = [chosen for chosen in choice if _touches(key_of(chosen.loc), error.key)]
        if at_fault:
            own.append(f"--set {' --set '.join(map(str, at_fault))}: {error.message}")
        else:
            others.append(str(error))
    if own:
        return "; ".join(own)
    more = f" (and {len(others) - 1} more like it)" if len(others) > 1 else ""
    return f"with --set {' --set '.join(map(str, choice))}: {others[0]}{more}"


def _touches(one: str, other: str) -> bool:
    """One of the two keys is the other, or what it stands in."""
    return one == other or any(
        longer.startswith((f"{shorter}.", f"{shorter}["))
        for shorter, longer in ((one, other), (other, one))
        if shorter
    )


def _written(value: object) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{key}: {_written(item)}" for key, item in value.items()) + "}"
        case list():
            return f"[{', '.join(map(_written, value))}]"
        case Quoted():
            return json.dumps(value, ensure_ascii=False)
        case None:
            return "~"
        case _:
            return str(value)
