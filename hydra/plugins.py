"""What other distributions bring: bots, strategies and risk checks, found by their entry points.

Nothing is looked for before the configuration names something that is not our own, and of a
distribution nothing is imported but what is named. What cannot be found or used is one line
(`PluginBroken`), which refuses the configuration: there is no half an engine.

Groups: `hydra.bots` leads to a `BotKind`, `hydra.strategies` to a factory of strategies,
`hydra.risk_checks` to a function from a `Situation` to None, or why not. `docs/writing-a-bot.md`
is for whoever writes one.
"""

import hashlib
import sys
from collections.abc import Callable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import msgspec

from hydra.actor import Actor
from hydra.runtime.life import in_words
from hydra.settings import Settings
from hydra.settings.bot_sections import (
    CryptoBotSettings,
    MomentumBotSettings,
    OptionsBotSettings,
)
from hydra.settings.outside_sections import NO_PLUGINS
from hydra.trading.risk_checks import BROUGHT, Check
from hydra.trading.sessions import SessionTable, Window
from hydra.trading.situation import Situation
from hydra.trading.strategies import STRATEGIES, placeholder_momentum
from hydra.trading.strategies.strategy import (
    BadParameters,
    StrategyFactory,
    parameters_from,
)

CODE_BYTES = 8
Given = TypeVar("Given")
Bot = TypeVar("Bot", MomentumBotSettings, OptionsBotSettings, CryptoBotSettings)


class Group(Enum):
    """Where distributions name what they bring."""

    BOT = "hydra.bots"
    STRATEGY = "hydra.strategies"
    RISK_CHECK = "hydra.risk_checks"


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Who brought something. `place` is the module and the name in it, as "module:name"."""

    group: str
    name: str
    distribution: str
    version: str
    place: str

    def __str__(self) -> str:
        return f"{self.name} of {self.distribution} {self.version} ({self.place})"


class PluginBroken(Exception):
    """It is not there, there are several, or it cannot be used: one line for the operator."""


class BotPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a bot of another distribution is configured to do: its section in `bots.yaml`.

    Entries belong into `trade_window`, positions are looked after in `manage_window`.
    `order_notional_usd` is what one entry buys. `parameters` are of the bot's own kind.
    """

    bot_id: str
    symbols: tuple[str, ...]
    trade_window: Window
    manage_window: Window
    sessions: SessionTable
    order_notional_usd: Decimal
    parameters: msgspec.Struct


class BotKind(msgspec.Struct, frozen=True, kw_only=True):
    """What an entry point in `hydra.bots` leads to.

    `actor` is made with `plan` (a `BotPlan`), `guardian` and `feed` (refs): all that it is given.
    `parameters` is the schema of the section's `params`. `history_bars`: how many bars of each
    symbol it may ask the feed for when it starts.
    """

    actor: type[Actor[Any]]
    parameters: type[msgspec.Struct]
    history_bars: int = 0


class _Inert(Actor[Any]):
    """Stands where a bot would, and is never started."""


class _Nothing(msgspec.Struct, frozen=True):
    """No parameters."""


INERT = "inert"
"""The kind of a bot that does nothing. See `at_rest`."""


def at_rest(settings: Settings) -> Settings:
    """The same without anybody else's code: for an engine that runs no bots and opens nothing.

    It closes positions in an emergency, and must not need a plug-in that is broken or gone. What
    the bots trade stays known.
    """
    bots = [
        bot.model_copy(update={"kind": INERT, "params": MappingProxyType({})})
        for bot in settings.plugin_bots
    ]
    single = {name: _at_rest(getattr(settings, name)) for name in ("optionsbot", "cryptobot")}
    return settings.model_copy(
        update={
            "plugins": NO_PLUGINS,
            "plugin_bots": tuple(bots),
            "momentum_bots": tuple(_at_rest(bot) for bot in settings.momentum_bots),
            **single,
        }
    )


def _at_rest(bot: Bot) -> Bot:
    """With a strategy of our own in the place of one that was brought."""
    if bot.signal.mode in STRATEGIES:
        return bot
    plain = {"mode": placeholder_momentum.NAME, "params": MappingProxyType({})}
    return bot.model_copy(update={"signal": bot.signal.model_copy(update=plain)})


def strategy_factory(name: str) -> StrategyFactory:
    """Our own strategy of that name, else one that was brought. Raises `PluginBroken`."""
    own = STRATEGIES.get(name)
    return own if own is not None else _strategy(name, _where())


def bot_kind(name: str) -> BotKind:
    """Raises `PluginBroken`."""
    if name == INERT:
        return BotKind(actor=_Inert, parameters=_Nothing)
    found = _loaded(Group.BOT, name, _where())
    if isinstance(found, BotKind):
        parts = ((found.actor, Actor), (found.parameters, msgspec.Struct))
        if all(_is_class_of(part, wanted) for part, wanted in parts):
            _require_bars(Group.BOT, name, "history_bars of", found.history_bars)
            return found
    raise PluginBroken(_not_of_its_kind(Group.BOT, name, found, "a BotKind of an Actor"))


def bot_origin(name: str) -> Origin:
    """Who brought that kind of bot. Raises `PluginBroken`."""
    return _origin(Group.BOT, _entry_point(Group.BOT, name, _where()))


def code_of(name: str) -> str:
    """A digest of that kind of bot, as it is installed: of every file of its distribution, and of
    the package that its entry point leads into, which of an editable installation lies elsewhere.

    Raises `PluginBroken`, and OSError where a file cannot be read.
    """
    point = _entry_point(Group.BOT, name, _where())
    digest = hashlib.blake2b(digest_size=CODE_BYTES)
    for called, path in sorted(_files_of(point).items()):
        content = path.read_bytes()
        digest.update(f"{called} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _files_of(point: EntryPoint) -> dict[str, Path]:
    """By a name that does not say where it is installed. What an installer leaves beside them (its
    own notes, and compiled modules) is left out: it is not the same everywhere.
    """
    found: dict[str, Path] = {}
    for each in (point.dist.files or ()) if point.dist is not None else ():
        path = Path(str(each.locate()))
        if not each.parts[0].endswith(".dist-info") and ".." not in each.parts:
            found[each.as_posix()] = path
    top = point.module.partition(".")[0]
    spec = find_spec(top)
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    for folder in folders:
        for path in Path(folder).rglob("*"):
            found[f"{top}/{path.relative_to(folder).as_posix()}"] = path
    if spec is not None and spec.origin is not None and not folders:
        found[Path(spec.origin).name] = Path(spec.origin)
    own = {
        called: path
        for called, path in found.items()
        if "__pycache__" not in path.parts and path.suffix != ".pyc" and path.is_file()
    }
    if not own:
        raise PluginBroken(f"{point.value}: found no files of {top}, wanted a package or a module")
    return own


def risk_check(name: str) -> Check:
    """The check, made safe: it can only deny, and denies when it fails. Raises `PluginBroken`."""
    return _check(name, _where())


def fault_in_signal(mode: str, parameters: Mapping[str, object]) -> str | None:
    """What is wrong with a strategy's name or parameters, for the settings to report."""
    try:
        factory = strategy_factory(mode)
        _made(Group.STRATEGY, mode, lambda: factory(parameters))
    except (BadParameters, PluginBroken) as error:
        return str(error)
    return None


def fault_in_plugin(group: str, name: str, parameters: Mapping[str, object]) -> str | None:
    """What is wrong with a bot's kind or parameters, or with a check, for the settings."""
    try:
        if Group(group) is Group.BOT:
            kind = bot_kind(name).parameters
            _made(Group.BOT, name, lambda: parameters_from(parameters, kind, strategy=name))
        else:
            risk_check(name)
    except (BadParameters, PluginBroken) as error:
        return str(error)
    return None


def plugins_in_use(settings: Settings) -> tuple[Origin, ...]:
    """Where everything comes from that a configuration names and that is not our own, in order.

    Bots that are not enabled are left out. Raises `PluginBroken`.
    """
    wanted = {(Group.RISK_CHECK, name) for name in settings.plugins.risk_checks}
    wanted |= {
        (Group.BOT, bot.kind) for bot in settings.plugin_bots if bot.enabled and bot.kind != INERT
    }
    modes = {bot.signal.mode for bot in settings.momentum_bots if bot.enabled}
    for section in (settings.optionsbot, settings.cryptobot):
        signal = getattr(section, "signal", None)
        if section.enabled and signal is not None:
            modes.add(signal.mode)
    wanted |= {(Group.STRATEGY, mode) for mode in modes - set(STRATEGIES)}
    ordered = sorted(wanted, key=lambda each: (each[0].value, each[1]))
    return tuple(_origin(group, _entry_point(group, name, _where())) for group, name in ordered)


def _where() -> tuple[str, ...]:
    """Where Python looks for distributions: what is found depends on nothing else."""
    return tuple(sys.path)


@cache
def _offered(group: Group, where: tuple[str, ...]) -> Mapping[str, tuple[EntryPoint, ...]]:
    """By name, in order. Reads the metadata of every distribution; imports none."""
    offered: dict[str, tuple[EntryPoint, ...]] = {}
    for point in sorted(entry_points(group=group.value), key=lambda each: (each.name, each.value)):
        offered[point.name] = (*offered.get(point.name, ()), point)
    return offered


def _entry_point(group: Group, name: str, where: tuple[str, ...]) -> EntryPoint:
    offered = _offered(group, where)
    points = offered.get(name, ())
    if len(points) == 1:
        return points[0]
    if points:
        origins = " and ".join(str(_origin(group, point)) for point in points)
        raise PluginBroken(f"found {origins}, wanted one; uninstall the others")
    what = {
        Group.BOT: "kind of bot",
        Group.STRATEGY: "strategy",
        Group.RISK_CHECK: "risk check",
    }[group]
    known = (*(STRATEGIES if group is Group.STRATEGY else ()), *offered)
    near = get_close_matches(name, known, n=1)
    meant = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known) or 'none'}"
    raise PluginBroken(f"found {name}, no such {what}{meant}")


def _origin(group: Group, point: EntryPoint) -> Origin:
    dist = point.dist
    return Origin(
        group=group.value,
        name=point.name,
        distribution="unknown" if dist is None else dist.name,
        version="unknown" if dist is None else dist.version,
        place=point.value,
    )


@cache
def _loaded(group: Group, name: str, where: tuple[str, ...]) -> Any:
    point = _entry_point(group, name, where)
    return _made(group, name, point.load)


def _made(group: Group, name: str, make: Callable[[], Given]) -> Given:
    """Somebody else's code, run while the configuration is read. Raises `PluginBroken`."""
    try:
        return make()
    except (BadParameters, PluginBroken):
        raise
    # Whatever it is, a SystemExit too: their mistake is one line of ours, and no traceback.
    except (Exception, SystemExit) as error:
        text = " ".join(in_words(error).split())
        raise PluginBroken(f"{_whose(group, name)} cannot be used: {text}") from error


@cache
def _strategy(name: str, where: tuple[str, ...]) -> StrategyFactory:
    found = _loaded(Group.STRATEGY, name, where)
    if not callable(found):
        raise PluginBroken(_not_of_its_kind(Group.STRATEGY, name, found, "a factory"))

    def factory(parameters: Mapping[str, object]) -> Any:
        made = found(parameters)
        if callable(getattr(made, "on_bar", None)) and type(made.warm_up) is int:
            _require_bars(Group.STRATEGY, name, "a warm_up of", made.warm_up)
            return made
        wanted = "a strategy with warm_up (a whole number) and on_bar"
        raise PluginBroken(_not_of_its_kind(Group.STRATEGY, name, made, wanted))

    return factory


@cache
def _check(name: str, where: tuple[str, ...]) -> Check:
    found = _loaded(Group.RISK_CHECK, name, where)
    if not callable(found):
        raise PluginBroken(_not_of_its_kind(Group.RISK_CHECK, name, found, "a function"))

    def check(situation: Situation) -> str | None:
        try:
            reason = found(situation)
        # Whatever it is: a check that cannot say yes has not said yes.
        except (Exception, SystemExit) as error:
            return f"it failed: {in_words(error)}"
        if reason is None or (type(reason) is str and reason):
            return reason
        return f"it answered a {type(reason).__name__}, wanted None or a reason in words"

    check.__name__ = f"{BROUGHT}{name}"
    return check


def _require_bars(group: Group, name: str, what: str, bars: object) -> None:
    """Raises `PluginBroken` if that is no number of bars."""
    if not (type(bars) is int and bars >= 0):
        raise PluginBroken(
            f"{_whose(group, name)} has {what} {bars!r}, wanted a whole number, 0 or more"
        )


def _is_class_of(part: object, wanted: type) -> bool:
    return isinstance(part, type) and issubclass(part, wanted)


def _not_of_its_kind(group: Group, name: str, found: object, wanted: str) -> str:
    return f"{_whose(group, name)} is {type(found).__name__}, wanted {wanted}"


def _whose(group: Group, name: str) -> str:
    points = _offered(group, _where()).get(name, ())
    return str(_origin(group, points[0])) if points else name
