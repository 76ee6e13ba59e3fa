"""Reads `config/` whole, or refuses it with every error there is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from hydra.settings.bot_sections import BotSections
from hydra.settings.engine_sections import BrokerSettings, EngineSections
from hydra.settings.errors import (
    Loc,
    SettingsError,
    SettingsRefused,
    key_of,
    shown,
)
from hydra.settings.live_profile import as_on_live
from hydra.settings.outside_sections import SIGNAL_BOT_OFF
from hydra.settings.schema import kind_at, unknown_key, value_at, wanted_at
from hydra.settings.section import PluginCheck, Section, SignalCheck, Surroundings, VenueName
from hydra.settings.strict_yaml import REPORTED, Document, Problem, read_document
from hydra.settings.whole import Settings

SUGGESTIONS_MAX = 100
"""For so many unknown keys a known one is looked for; a hostile file has thousands."""

S = TypeVar("S", bound=Section)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Documents:
    """What stands in the files of one folder, as far as they could be read."""

    folder: Path
    engine: Document
    bots: Document


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Whose engine is meant, and where it keeps ledger and journal."""

    venue: VenueName
    ledger: Path
    journal: Path


def documents_in(config_dir: Path) -> Documents:
    """The content of `settings.yaml` and `bots.yaml`, before anything is checked."""
    return Documents(
        config_dir,
        read_document(config_dir / "settings.yaml"),
        read_document(config_dir / "bots.yaml"),
    )


def load_settings(
    config_dir: Path,
    *,
    venue: VenueName | None = None,
    signal_check: SignalCheck | None = None,
    plugin_check: PluginCheck | None = None,
) -> Settings:
    """The settings in `settings.yaml` and `bots.yaml`; raises `SettingsRefused` with all errors.

    `venue` is what the command line says; it goes before `broker.venue`, and what live forbids is
    checked for the venue that is meant. `signal_check` says what is wrong with a strategy's name
    and parameters, or None; `plugin_check` the same of what another distribution brought.
    """
    return settings_of(
        documents_in(config_dir),
        venue=venue,
        signal_check=signal_check,
        plugin_check=plugin_check,
    )


def settings_of(
    documents: Documents,
    *,
    venue: VenueName | None = None,
    signal_check: SignalCheck | None = None,
    plugin_check: PluginCheck | None = None,
) -> Settings:
    """The settings that documents say, checked whole; see `load_settings`.

    On live in the profile micro they are within its limits, for whoever reads them.
    """
    engine_file = documents.folder / "settings.yaml"
    bots_file = documents.folder / "bots.yaml"
    engine_document, bots_document = documents.engine, documents.bots
    around = Surroundings(
        venue=venue or _alone(VenueName, engine_document, ("broker", "venue")),
        timezone=_alone(str, engine_document, ("system", "timezone")),
        order_notional_usd_max=_alone(Decimal, engine_document, ("risk", "max_order_notional_usd")),
        bot_ids=_bot_ids(bots_document),
        signal_check=signal_check,
        plugin_check=plugin_check,
    )
    engine, engine_problems = _validated(EngineSections, engine_document, around)
    bots, bots_problems = _validated(BotSections, bots_document, around)
    bots_problems = [*bots_problems, *_repeated_bot_ids(bots_document)]
    errors = [
        *_errors(engine_file, engine_document, engine_problems),
        *_errors(bots_file, bots_document, bots_problems),
    ]
    if errors or engine is None or bots is None:
        raise SettingsRefused(errors)
    if venue is not None:
        engine = engine.model_copy(update={"broker": BrokerSettings(venue=venue)})
    return as_on_live(Settings(**dict(engine), **dict(bots)))


def whereabouts_in(documents: Documents, venue: VenueName | None) -> Whereabouts | None:
    """Where the files of the engine lie, also if other settings are not fit; None: not known.

    Nothing is guessed: the venue has to stand in the file, or be named.
    """
    document = documents.engine
    meant = venue or _alone(VenueName, document, ("broker", "venue"))
    ledger = _alone(Path, document, ("system", "state_db_path"))
    journal = _alone(Path, document, ("system", "log_path"))
    if meant is None or ledger is None or journal is None:
        return None
    return Whereabouts(meant, ledger, journal)


def timezone_in(documents: Documents) -> str | None:
    """The timezone that people are told times in, also if other settings are not fit."""
    return _alone(str, documents.engine, ("system", "timezone"))


def _alone(wanted: type[V], document: Document, loc: Loc) -> V | None:
    """One engine setting for others to be held against, whatever is wrong around it.

    None if it is itself not fit to compare with; then it has an error of its own, or a default.
    """
    kind = kind_at(EngineSections, loc)
    try:
        value = None if kind is None else kind.read(value_at(document.data, loc))
    except (LookupError, TypeError, ValueError):
        return None
    return value if isinstance(value, wanted) else None


def _validated(
    model: type[S], document: Document, around: Surroundings
) -> tuple[S | None, list[Problem]]:
    if document.data is None:
        return None, list(document.problems)
    try:
        return model.model_validate(document.data, context=around), list(document.problems)
    except ValidationError as error:
        details = error.errors(include_url=False)
        return None, [*document.problems, *_schema_problems(model, document, details)]


def _schema_problems(
    model: type[Section], document: Document, details: list[ErrorDetails]
) -> Iterator[Problem]:
    misspelt: set[Loc] = set()
    unknown = [detail["loc"] for detail in details if detail["type"] == "extra_forbidden"]
    for number, loc in enumerate(unknown):
        if number < SUGGESTIONS_MAX:
            message, meant = unknown_key(model, document.data, loc)
        else:
            message, meant = "no such setting", None
        if meant is not None:
            misspelt.add((*loc[:-1], meant))
        yield Problem(loc, document.line_of(loc), message)
    for detail in details:
        loc = detail["loc"]
        is_reported = detail["input"] is REPORTED or loc in misspelt
        if detail["type"] != "extra_forbidden" and not is_reported:
            yield Problem(loc, document.line_of(loc), _message(model, detail))


def _message(model: type[Section], detail: ErrorDetails) -> str:
    match detail["type"]:
        case "missing":
            return f"missing, wanted {wanted_at(model, detail['loc'])}"
        case "value_error":
            return str(detail["ctx"]["error"])
        case _:
            return f"found {shown(detail['input'])}, wanted {wanted_at(model, detail['loc'])}"


def _repeated_bot_ids(document: Document) -> Iterator[Problem]:
    """From the document rather than the sections, so that it is told whatever else is wrong."""
    first_keys: dict[str, str] = {}
    for loc, bot in _bots(document.data or {}):
        bot_id = bot.get("bot_id") if isinstance(bot, dict) else None
        if not isinstance(bot_id, str):
            continue
        place = (*loc, "bot_id")
        if bot_id in first_keys:
            message = f"{shown(bot_id)} is the name of {first_keys[bot_id]} already"
            yield Problem(place, document.line_of(place), message)
        first_keys.setdefault(bot_id, key_of(loc))


def _bot_ids(document: Document) -> frozenset[str] | None:
    """The names of all bots, as `BotSections.bot_ids` has them; None where one cannot be read."""
    data = {"signalbot": {"bot_id": SIGNAL_BOT_OFF.bot_id}, **(document.data or {})}
    if not isinstance(data.get("momentum_bots"), list):
        return None
    ids = set[str]()
    for _, bot in _bots(data):
        bot_id = bot.get("bot_id") if isinstance(bot, dict) else None
        if not isinstance(bot_id, str):
            return None
        ids.add(bot_id)
    return frozenset(ids)


def _bots(data: Mapping[str, object]) -> Iterator[tuple[Loc, object]]:
    for many in ("momentum_bots", "plugin_bots"):
        listed = data.get(many)
        for number, bot in enumerate(listed if isinstance(listed, list) else ()):
            yield (many, number), bot
    for name in ("optionsbot", "signalbot", "cryptobot"):
        yield (name,), data.get(name)


def _errors(file: Path, document: Document, problems: list[Problem]) -> list[SettingsError]:
    """In the order of the lines, so that they are mended from top to bottom."""
    ordered = sorted(problems, key=lambda problem: problem.line or 0)
    return [
        SettingsError(file, problem.line, key_of(problem.loc), problem.message)
        for problem in ordered
    ]
