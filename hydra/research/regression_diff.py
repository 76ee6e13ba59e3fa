"""In what a regression run differs from its baseline, in lines for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

import msgspec

from hydra.research.baseline import Baseline
from hydra.research.snapshot import EXECUTIONS, INTENTS, POSITIONS

SHOWN_MAX = 5
"""So many differing intents or executions are told one by one; what follows is often the same."""
FIGURES_MAX = 20

_OF_INTENT = ("at", "bot", "role", "side", "quantity", "symbol", "order_type", "reason", "status")
_OF_EXECUTION = ("at", "bot", "side", "quantity", "symbol", "price")
_OF_POSITION = ("bot", "symbol", "quantity", "average_price", "unrealised")
_LISTS = (
    (INTENTS, "order intents", _OF_INTENT),
    (EXECUTIONS, "executions", _OF_EXECUTION),
    (POSITIONS, "positions", _OF_POSITION),
)

_NAMES = ("client_order_id", "signal")
"""They count what was decided before."""

Item = Mapping[str, Any]
Pair = tuple[int, Item | None, Item | None]
"""Its number, as it is in the baseline, and as it is now; None: it is not there."""


def differences(old: Baseline, new: Baseline) -> list[str]:
    """What is new, the first differing intent before all; empty if nothing is."""
    return [
        *_of_the_input(old, new),
        *(
            line
            for key, title, words in _LISTS
            for line in _of_lists(title, words, old.snapshot.get(key), new.snapshot.get(key))
        ),
        *_of_figures("snapshot", _without_lists(old.snapshot), _without_lists(new.snapshot)),
        *_of_figures("metrics", old.metrics, new.metrics),
        *_of_files(old.checksums, new.checksums),
    ]


def _of_the_input(old: Baseline, new: Baseline) -> Iterator[str]:
    """Said first: where the input is another one, the rest says little of the engine."""
    if old.seed != new.seed:
        yield f"the seed: {old.seed} -> {new.seed}"
    if old.dataset != new.dataset:
        yield f"the data set: {old.dataset} -> {new.dataset}"
    before, after = old.dataset_digests, new.dataset_digests
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            is_gone, is_new = name not in after, name not in before
            what = "is gone" if is_gone else "is new" if is_new else "has changed"
            yield f"the data set itself: {name} {what}"


def _of_lists(title: str, words: Sequence[str], old: Any, new: Any) -> Iterator[str]:
    before, after = list(old or ()), list(new or ())
    pairs, renamed = _pairs(before, after)
    if not pairs and not renamed:
        return
    first = f", the first is number {pairs[0][0]}" if pairs else ""
    yield f"{title}: {len(before)} in the baseline, {len(after)} now; {len(pairs)} differ{first}"
    for number, one, other in pairs[:SHOWN_MAX]:
        yield f"{number:>6}  baseline  {_told(one, words)}"
        yield f"        now       {_told(other, words)}"
        if one is not None and other is not None and _are_alike(one, other):
            changed = [
                f"{key} {_value(one.get(key))} -> {_value(other.get(key))}"
                for key in sorted({*one, *other} - set(_NAMES))
                if one.get(key) != other.get(key)
            ]
            yield f"        differs   {', '.join(changed)}"
    if len(pairs) > SHOWN_MAX:
        yield f"        and {len(pairs) - SHOWN_MAX} more"
    if renamed:
        yield f"        besides, {renamed} with another number and name alone"


def _pairs(old: Sequence[Item], new: Sequence[Item]) -> tuple[list[Pair], int]:
    """What differs, in order, and how many others have but another name.

    What was put in or taken out has nothing beside it; it gives new names to what comes after it.
    """
    pairs: list[Pair] = []
    renamed = 0
    matcher = SequenceMatcher(None, _contents(old), _contents(new), autojunk=False)
    for kind, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        both = zip_longest(old[old_from:old_to], new[new_from:new_to])
        if kind == "equal":
            renamed += sum(one != other for one, other in both)
        else:
            start = new_from if old_from == old_to else old_from
            pairs += [(place, one, other) for place, (one, other) in enumerate(both, start + 1)]
    return pairs, renamed


def _contents(items: Iterable[Item]) -> list[bytes]:
    return [
        msgspec.json.encode(
            {key: value for key, value in item.items() if key not in _NAMES}, order="sorted"
        )
        for item in items
    ]


def _are_alike(one: Item, other: Item) -> bool:
    return all(one.get(key) == other.get(key) for key in ("bot", "symbol", "side", "role"))


def _told(item: Item | None, words: Sequence[str]) -> str:
    return "–" if item is None else " ".join(str(item[key]) for key in words if key in item)


def _without_lists(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    told = {key for key, _, _ in _LISTS}
    return {key: value for key, value in snapshot.items() if key not in told}


def _of_figures(title: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    before, after = dict(_flat(old)), dict(_flat(new))
    changed = [key for key in sorted({*before, *after}) if before.get(key) != after.get(key)]
    if changed:
        yield f"{title}: {len(changed)} differ"
    for key in changed[:FIGURES_MAX]:
        yield f"        {key}: {_value(before.get(key))} -> {_value(after.get(key))}"
    if len(changed) > FIGURES_MAX:
        yield f"        and {len(changed) - FIGURES_MAX} more"


def _flat(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _flat(inner, f"{key}.{name}" if key else name)
    else:
        yield key, value


def _value(value: Any) -> str:
    return "nothing" if value is None else str(value)


def _of_files(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    changed = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    if changed:
        yield f"files: {len(changed)} of {len({*old, *new})} differ"
    for name in changed:
        yield f"        {name}: {old.get(name, 'nothing')} -> {new.get(name, 'nothing')}"
