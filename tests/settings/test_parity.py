"""Defaults in code, what is shipped in YAML, and what the documentation says, agree (SCOPE F3)."""

import re
import sys
from collections.abc import Iterator, Mapping
from copy import deepcopy
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import pytest
import yaml
from msgspec import structs
from pydantic import ValidationError

from hydra.exit_terms import exit_terms
from hydra.main import DEFAULT_SPEED
from hydra.monitor_terms import monitor_terms, regime_shares
from hydra.ops.config.looking import SHIPPED
from hydra.settings import load_settings
from hydra.settings.entries import entries_of
from hydra.settings.schema import FILES
from hydra.settings.section import Section, Surroundings
from hydra.settings.strict_yaml import read_document
from hydra.settings.whole import content_of
from hydra.terms import guardian_terms, plans_of
from hydra.trading.durations import HOUR
from hydra.trading.fees import ALPACA_FEES
from hydra.trading.sessions import ExchangeSession, SessionTable
from hydra.trading.strategies import STRATEGIES
from hydra.venues.simulated.market_data import MarketData
from tests.research.replays import OPEN, bar

HOME = Path(__file__).resolve().parents[2]
DOCS = (
    HOME / "README.md",
    HOME / "ARCHITECTURE.md",
    HOME / "deploy" / "README.md",
    *sorted((HOME / "docs").glob("*.md")),
)

Loc: TypeAlias = tuple[str | int, ...]


@pytest.mark.parametrize("name", [name for name, _ in FILES])
def test_what_hydra_is_unpacked_with_is_what_it_brings_along(name: str) -> None:
    assert (HOME / "config" / name).read_bytes() == (SHIPPED / name).read_bytes()


@pytest.mark.parametrize(("name", "model"), FILES)
def test_whatever_key_is_left_out_is_refused_or_is_as_shipped(
    name: str, model: type[Section]
) -> None:
    data = read_document(SHIPPED / name).data
    shipped = read_as(model, data)
    assert shipped is not None

    left_out = {loc: read_as(model, without(data, loc)) for loc in keys_in(data)}

    assert {loc: found for loc, found in left_out.items() if found not in (None, shipped)} == {}
    assert None in left_out.values(), "what is needed is missed"
    assert shipped in left_out.values(), "what is not needed is not"


def test_every_key_that_may_be_left_out_is_named_in_what_is_shipped() -> None:
    texts = [(SHIPPED / name).read_text("utf-8") for name, _ in FILES]
    words = set(re.findall(r"[a-z_]+", " ".join(texts)))

    assert {key for _, model in FILES for key in optional_keys(model)} - words == set()


def test_numbers_that_terms_have_by_default_are_those_that_are_shipped() -> None:
    # Those with which a test of a part of the engine works, while the engine itself goes by the
    # settings: were they others, the test would be of an engine that nobody runs.
    settings = load_settings(SHIPPED)
    market = MarketData(
        bars=(bar(100.0), bar(60_000.0, symbol="BTC/USD")),
        sessions=SessionTable(
            (ExchangeSession("2026-01-05", OPEN, OPEN + HOUR, early_close=False),)
        ),
        symbols=("AAPL", "BTC/USD"),
        origin="bars made by hand",
    )
    plans = plans_of(settings, market)

    terms = (
        plans,
        monitor_terms(settings, market.bar_interval),
        regime_shares(settings),
        guardian_terms(settings, market, "account", plans, ALPACA_FEES),
        exit_terms(settings, market, plans.bots),
    )

    assert [place for each in terms for place in other_than_default(each)] == []


def test_the_comments_on_bots_give_the_parameters_of_every_strategy() -> None:
    text = (SHIPPED / "bots.yaml").read_text("utf-8")

    told = {
        name: yaml.safe_load(f"{{{parameters}}}")
        for name, parameters in re.findall(r"^# - (\w+): \{(.*)\}$", text, re.MULTILINE)
    }

    assert told == {name: parameters_of(name) for name in STRATEGIES}


def test_the_comment_on_the_length_of_bars_gives_its_default() -> None:
    text = (SHIPPED / "bots.yaml").read_text("utf-8")
    told = re.findall(r"signal\.(\w+) and signal\.(\w+) \((\d+) if left out\)", text)

    (first, *_) = load_settings(SHIPPED).momentum_bots
    signal = type(first.signal).model_validate({"mode": "placeholder_momentum_v1", "params": {}})

    assert told == [
        ("bar_minutes", "entry_minutes", str(signal.bar_minutes)),
    ]
    assert signal.bar_minutes == signal.entry_minutes


def test_the_readme_names_the_sections_that_may_be_left_out() -> None:
    text = " ".join((HOME / "README.md").read_text("utf-8").split())
    (told,) = re.findall(
        r"but for whole sections: without (.*?) what is shipped of them holds", text
    )

    optional = {
        name
        for _, model in FILES
        for name, field in model.model_fields.items()
        if not field.is_required()
    }
    assert set(re.findall(r"`(\w+)`", told)) == optional


def test_the_readme_gives_the_speed_that_a_run_has_by_default() -> None:
    text = " ".join((HOME / "README.md").read_text("utf-8").split())

    (told,) = re.findall(r"`--speed` times as fast as the market was \((\d+) by default\)", text)

    assert float(told) == DEFAULT_SPEED


@pytest.mark.parametrize("page", DOCS, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_settings_in_the_documentation_have_the_values_that_are_shipped(page: Path) -> None:
    assert [told for told in settings_told_in(page, shipped()) if not told.is_shipped] == []


def test_settings_that_are_told_otherwise_in_the_documentation_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "`limits.max_orders_per_day` (9) and `runner.loop_interval_seconds` (5)\n"
        "```yaml\nsignalbot:\n  limits:\n    max_signal_age_seconds: 61\n```\n"
    )

    found = list(settings_told_in(page, shipped()))

    assert [(told.key, told.value, told.is_shipped) for told in found] == [
        ("limits.max_orders_per_day", "9", False),
        ("runner.loop_interval_seconds", "5", True),
        ("signalbot.limits.max_signal_age_seconds", "61", False),
    ]


@cache
def shipped() -> dict[str, str]:
    """Each setting as the file has it."""
    return {entry.key: entry.text for entry in entries_of(load_settings(SHIPPED))}


class Told(msgspec.Struct, frozen=True):
    """A setting in a page: its key as it stands there, and its value."""

    key: str
    value: str
    is_shipped: bool


def settings_told_in(page: Path, shipped: Mapping[str, str]) -> Iterator[Told]:
    """Those with a number in brackets behind them, and those of blocks of YAML."""
    text = page.read_text("utf-8")
    for key, value in re.findall(r"`([a-z_]+(?:\.[a-z_]+)*)` \(([\d.,]+)\)", text):
        values = {shipped[name] for name in shipped if f".{name}".endswith(f".{key}")}
        if values:
            number = value.replace(",", "")
            yield Told(key, number, number in values)
    for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL):
        for key, value in flat(yaml.safe_load(block)):
            # An example is of something that is switched on.
            if key in shipped and not key.endswith(".enabled"):
                yield Told(key, str(value), same_value(value, shipped[key]))


def same_value(told: object, shipped: str) -> bool:
    match told:
        case bool() | str():
            return str(told).lower() == shipped.lower()
        case int() | float():
            return Decimal(str(told)) == Decimal(shipped)
        case _:
            return str(told).replace("'", "") == shipped


def flat(content: object, key: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(content, dict):
        for name, value in content.items():
            yield from flat(value, f"{key}.{name}" if key else str(name))
    else:
        yield key, content


def read_as(model: type[Section], data: Any) -> object:
    """The plain content; None: it is refused."""
    around = Surroundings(timezone="America/Los_Angeles")
    try:
        return content_of(model.model_validate(data, context=around))
    except ValidationError:
        return None


def keys_in(data: Any, loc: Loc = ()) -> Iterator[Loc]:
    """The place of every key; one bot stands for its list, and parameters are not the schema's."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield (*loc, key)
            if key != "params":
                yield from keys_in(value, (*loc, key))
    elif isinstance(data, list):
        for number, value in enumerate(data[:1]):
            yield from keys_in(value, (*loc, number))


def without(data: Any, loc: Loc) -> Any:
    changed = deepcopy(data)
    place = changed
    for step in loc[:-1]:
        place = place[step]
    del place[loc[-1]]
    return changed


def optional_keys(model: type[Section]) -> set[str]:
    """Of this section and of all those within it."""
    found = set[str]()
    for name, field in model.model_fields.items():
        if not field.is_required():
            found.add(name)
        for section in sections_in(field.annotation):
            found |= optional_keys(section)
    return found


def sections_in(annotation: Any) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from sections_in(part)


def other_than_default(value: object) -> Iterator[str]:
    """Every number within it that is not what its class has by default."""
    match value:
        case msgspec.Struct():
            for field in structs.fields(type(value)):
                here = getattr(value, field.name)
                is_number = isinstance(here, int | float | Decimal)
                if is_number and not field.required and here != field.default:
                    yield f"{type(value).__name__}.{field.name}: {field.default}, shipped {here}"
                yield from other_than_default(here)
        case Mapping():
            for each in value.values():
                yield from other_than_default(each)
        case tuple() | frozenset():
            for each in value:
                yield from other_than_default(each)
        case _:
            pass


def parameters_of(strategy: str) -> dict[str, object]:
    """What a strategy's parameters are where none are given."""
    module = sys.modules[STRATEGIES[strategy].__module__]
    (found,) = (
        each
        for name, each in vars(module).items()
        if name.endswith("Parameters") and each.__module__ == module.__name__
    )
    parameters: dict[str, object] = msgspec.to_builtins(found())
    return parameters
