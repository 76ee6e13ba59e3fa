"""A data set of the regression harness: a folder with bars, bots, settings and an account's terms.

It has `dataset.yaml` (window and terms), `settings.yaml` and `bots.yaml`, and its bars as `.csv` or
`.csv.gz`. All of it is named by its content, so what is compared is known to be of the same input.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec

from hydra.ops.artefacts.folder import digests
from hydra.plugins import fault_in_plugin, fault_in_signal
from hydra.research.replay_data import ReplayData, replay_data
from hydra.research.window import window_of
from hydra.settings import Settings, load_settings
from hydra.settings.strategy_mode import as_selected
from hydra.settings.strict_yaml import read_document
from hydra.venues.bar_rows import shown
from hydra.venues.simulated.terms import VenueTerms

SHIPPED = Path(__file__).with_name("regression_data") / "one_session"
"""Comes with Hydra; its prices are generated."""

FACTS = "dataset.yaml"
SETTINGS_FILES = ("settings.yaml", "bots.yaml")
_WORDS = ("start", "end", "timezone")
_NUMBERS = ("starting_cash", "slippage_bps", "crypto_fee_bps")


class BadDataset(ValueError):
    """There is no such data set, or it is not whole. The message is one line."""


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """What is played, read and checked. `digests` name the content of each of its files."""

    name: str
    settings: Settings
    data: ReplayData
    terms: VenueTerms
    digests: Mapping[str, str]


def read_dataset(folder: Path) -> Dataset:
    """All of a data set, or nothing of it.

    Raises `BadDataset`, and what is wrong with a part: `SettingsRefused`, `BadData`,
    `BadReplayWindow`.
    """
    if not folder.is_dir():
        raise BadDataset(
            f"{folder}: found no folder; wanted a data set: {FACTS}, {', '.join(SETTINGS_FILES)}"
            " and bars as .csv; leave --dataset out for the one that comes with Hydra"
        )
    bars = sorted(path for path in folder.iterdir() if path.name.endswith((".csv", ".csv.gz")))
    if not bars:
        raise BadDataset(f"{folder}: found no bars; wanted files .csv or .csv.gz; add some")
    facts = _facts_in(folder / FACTS)
    asked = window_of(start=facts["start"], end=facts["end"], tz=facts["timezone"])
    terms = _terms_of(folder / FACTS, facts)
    settings = as_selected(
        load_settings(folder, signal_check=fault_in_signal, plugin_check=fault_in_plugin)
    )
    data = replay_data(bars, asked)
    return Dataset(
        name=folder.resolve().name,
        settings=settings,
        data=data,
        terms=terms,
        digests={
            **digests(folder, (FACTS, *SETTINGS_FILES)),
            **data.digests,
        },
    )


def _facts_in(path: Path) -> dict[str, str]:
    """Each key's text. Raises `BadDataset`."""
    document = read_document(path)
    for problem in document.problems:
        line = "" if problem.line is None else f", line {problem.line}"
        raise BadDataset(f"{path}{line}: {problem.message}; correct it")
    wanted = (*_WORDS, *_NUMBERS)
    found = dict(document.data or {})
    for key in found:
        if key not in wanted:
            raise BadDataset(f"{path}: found {shown(key)}; wanted {', '.join(wanted)}; take it out")
    for key in wanted:
        if not isinstance(found.get(key), str):
            raise BadDataset(f"{path}: found no value of {key}; wanted one; add it")
    return {key: str(value) for key, value in found.items()}


def _terms_of(path: Path, facts: Mapping[str, str]) -> VenueTerms:
    def number(key: str) -> Decimal:
        with suppress(InvalidOperation):
            found = Decimal(facts[key])
            if found.is_finite():
                return found
        raise BadDataset(f"{path}: found {key} {shown(facts[key])}; wanted a number; correct it")

    cash, slippage, fee = map(number, _NUMBERS)
    try:
        return VenueTerms(starting_cash=cash, slippage_bps=slippage, crypto_fee_bps=fee)
    except ValueError as error:
        raise BadDataset(f"{path}: found that {error}; correct it") from None
