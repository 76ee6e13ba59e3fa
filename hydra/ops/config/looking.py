"""What `check`, `show` and `diff` find and say. Each gives the process's exit code."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import orjson

import hydra.settings
from hydra.ops.debug import render
from hydra.ops.exit_codes import ExitCode
from hydra.plugins import fault_in_plugin, fault_in_signal, plugins_in_use
from hydra.settings import Settings, SettingsError, SettingsRefused, VenueName, load_settings
from hydra.settings.changes import changes_between, reload_verdict
from hydra.settings.configuration import Configuration, load_configuration
from hydra.settings.entries import Entry, entries_of
from hydra.settings.mode import lacking, mode_disagreement
from hydra.settings.secret import MASK
from hydra.settings.secrets import KNOWN, LIVE_WORDS, Secrets
from hydra.settings.whole import content_of

KILL_WORDS = ("close_only", "halt_all")
SHIPPED = Path(hydra.settings.__file__).parent / "shipped"
"""What `config/` holds when Hydra is unpacked, whatever has become of it since."""

_SETTINGS = [
    render.text("KEY", "key"),
    render.text("VALUE", "text"),
    render.text("UNIT", "unit", may_go=True),
    render.text("SAFER", "safer"),
    render.text("SHIPPED", "shipped"),
]
_PLUGINS = [
    render.text("PLUG-IN", "name"),
    render.text("GROUP", "group"),
    render.text("DISTRIBUTION", "distribution"),
    render.text("VERSION", "version"),
    render.text("PLACE", "place", may_go=True),
]
_CHANGES = [
    render.text("KEY", "key"),
    render.text("OLD", "old"),
    render.text("NEW", "new"),
    render.text("EFFECT", "effect"),
]


def check(config: Path, env_file: Path, venue: str | None, *, json: bool) -> ExitCode:
    """Validate everything that a start would."""
    try:
        found = _loaded(config, env_file, venue)
        _refuse_unless_it_suits_the_venue(found, env_file)
    except SettingsRefused as refused:
        return _refused(refused, json=json)
    settings = found.settings
    if json:
        _write(
            {
                "ok": True,
                "venue": settings.broker.venue.value,
                "digest": settings.digest,
                "errors": [],
                "warnings": list(found.warnings),
            }
        )
        return ExitCode.CLEAN
    for warning in found.warnings:
        render.write(f"warning: {render.clean(warning)}")
    count = len(found.warnings)
    render.write(
        f"{config}: fit to start; venue {settings.broker.venue.value}, digest {settings.digest}, "
        f"{'no warnings' if count == 0 else '1 warning' if count == 1 else f'{count} warnings'}"
    )
    return ExitCode.CLEAN


def show(config: Path, env_file: Path, venue: str | None, word: str, *, json: bool) -> ExitCode:
    """Every setting whose key has the word in it."""
    try:
        found = _loaded(config, env_file, venue)
    except SettingsRefused as refused:
        return _refused(refused, json=json)
    settings = found.settings
    shipped = {entry.key: entry for entry in entries_of(load_settings(SHIPPED))}
    rows = [
        _row(entry, shipped.get(entry.key), settings)
        for entry in entries_of(settings)
        if word in entry.key
    ]
    plugins = [msgspec.to_builtins(each) for each in plugins_in_use(settings)]
    environment = [
        {"key": name, "text": text}
        for name, text in _environment(found.secrets).items()
        if word in name
    ]
    if json:
        for row in rows:
            del row["text"], row["shipped"]
        _write(
            {
                "venue": settings.broker.venue.value,
                "digest": settings.digest,
                "settings": rows,
                "plugins": plugins,
                "environment": {row["key"]: row["text"] for row in environment},
            }
        )
        return ExitCode.CLEAN
    if rows or not environment:
        render.show_table(_SETTINGS, rows, nothing=f"no setting has {word} in its key")
    if plugins and not word:
        render.write()
        render.show_table(_PLUGINS, plugins, nothing="")
    if environment:
        render.write()
        columns = [render.text("ENVIRONMENT OR .ENV", "key"), render.text("VALUE", "text")]
        render.show_table(columns, environment, nothing="")
    return ExitCode.CLEAN


def diff(old_dir: Path | None, new_dir: Path, venue: str | None, *, json: bool) -> ExitCode:
    """What changes from one folder to the other. None: from what was shipped."""
    errors: list[SettingsError] = []
    sides: list[Settings] = []
    for folder in (old_dir or SHIPPED, new_dir):
        try:
            sides.append(
                load_settings(
                    folder,
                    venue=_venue(venue),
                    signal_check=fault_in_signal,
                    plugin_check=fault_in_plugin,
                )
            )
        except SettingsRefused as refused:
            errors += refused.errors
    if errors:
        return _refused(SettingsRefused(errors), json=json)
    changes = changes_between(*sides)
    verdict = reload_verdict(changes)
    rows = [
        {"key": each.key, "old": each.old, "new": each.new, "effect": each.effect.value}
        for each in changes
    ]
    if json:
        reload = {"taken": verdict.is_taken, "reasons": list(verdict.reasons)}
        _write({"changes": rows, "reload": reload})
        return ExitCode.CLEAN
    render.show_table(_CHANGES, rows, nothing="no difference")
    if rows and verdict.is_taken:
        render.write("all of it is tighter: a running engine may take it")
    elif rows:
        render.write(
            f"{len(verdict.reasons)} of {len(rows)} not tighter: only a restart brings any of it"
        )
    return ExitCode.CLEAN


def _loaded(config: Path, env_file: Path, venue: str | None) -> Configuration:
    return load_configuration(
        config,
        env_file,
        os.environ,
        venue=_venue(venue),
        signal_check=fault_in_signal,
        plugin_check=fault_in_plugin,
    )


def _refuse_unless_it_suits_the_venue(found: Configuration, env_file: Path) -> None:
    """Raises `SettingsRefused` for what is well written and still stops a start."""
    venue, secrets = found.settings.broker.venue, found.secrets
    lines = list(lacking(venue, secrets))
    if (disagreement := mode_disagreement(venue, secrets, secrets.live_switch)) is not None:
        lines.append(disagreement)
    if lines:
        raise SettingsRefused(SettingsError(env_file, None, "", line) for line in lines)


def _venue(name: str | None) -> VenueName | None:
    return None if name is None else VenueName(name)


def _row(entry: Entry, shipped: Entry | None, settings: Settings) -> dict[str, Any]:
    is_default = shipped is not None and shipped.text == entry.text
    is_clock = entry.unit == "local time"
    return {
        "file": entry.file,
        "key": entry.key,
        "value": content_of(entry.value),
        "text": entry.text,
        "unit": f"time in {settings.system.timezone}" if is_clock else entry.unit,
        "safer": entry.safer_text,
        "default": None if shipped is None else content_of(shipped.value),
        "is_default": is_default,
        "shipped": "same" if is_default else None if shipped is None else shipped.text,
    }


def _environment(secrets: Secrets) -> dict[str, str]:
    """What counts, by the names in `.env.example`; of keys only whether they are there."""
    unset = "not set"
    paper, switch = secrets.alpaca_paper, secrets.kill_switch
    texts = (
        unset if secrets.alpaca_key is None else MASK,
        unset if secrets.alpaca_secret is None else MASK,
        unset if paper is None else "true" if paper else "false",
        "1" if secrets.network_disabled else "0",
        LIVE_WORDS if secrets.live_switch else unset,
        unset if switch is None else _kill_word(switch),
        unset if secrets.kill_switch_file is None else str(secrets.kill_switch_file),
        unset if secrets.strategy_mode is None else secrets.strategy_mode.value,
        " ".join(MASK for _ in secrets.alert_urls) or unset,
        unset if secrets.heartbeat_url is None else MASK,
    )
    return dict(zip(KNOWN, texts, strict=True))


def _kill_word(switch: str) -> str:
    """What the engine takes it for. A word that it does not know could be a key: it is not told."""
    word = switch.rstrip()
    return word if word in KILL_WORDS else "set: counts as halt_all"


def _refused(refused: SettingsRefused, *, json: bool) -> ExitCode:
    if json:
        errors: Sequence[dict[str, Any]] = [
            {
                "file": str(error.file),
                "line": error.line,
                "key": error.key,
                "message": error.message,
            }
            for error in refused.errors
        ]
        _write({"ok": False, "errors": errors, "warnings": []})
    else:
        sys.stderr.write(f"{refused}\n")
    return ExitCode.CONFIGURATION_REFUSED


def _write(data: dict[str, Any]) -> None:
    render.write(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode())
