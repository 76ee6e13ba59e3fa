"""What `history`, `rollback` and `accept` do. Each gives the process's exit code, or ends it."""

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import orjson
import typer

from hydra.ops.config.history import FILES, Content, Version, put_back, read_files, versions
from hydra.ops.config.looking import SHIPPED
from hydra.ops.config.loosening import Acceptance, write_acceptance
from hydra.ops.debug import render
from hydra.ops.exit_codes import ExitCode
from hydra.ops.places import files_of_venue
from hydra.plugins import fault_in_plugin, fault_in_signal
from hydra.settings import Settings, SettingsRefused, VenueName, load_settings
from hydra.settings.changes import changes_between
from hydra.store.engine_files import NamesClash
from hydra.store.private_files import RightsTooOpen

_VERSIONS = [
    render.number("NUMBER", "number"),
    render.text("IN FORCE SINCE (UTC)", "at"),
    render.text("HOW", "how"),
    render.text("DIGEST", "digest"),
    render.text("IN THE FILES", "is_now"),
]


def show_history(config: Path, venue: str | None, state_dir: Path | None, *, json: bool) -> int:
    """Every configuration that is kept."""
    now = _files_now(config)
    rows = [
        {
            "number": int(each.folder.name),
            "at": _utc(each.about.at),
            "how": each.about.how,
            "digest": each.about.digest,
            "is_now": "yes" if each.content == now else "",
        }
        for each in versions(_history(config, venue, state_dir))
    ]
    if json:
        _write({"versions": [{**row, "is_now": bool(row["is_now"])} for row in rows]})
    else:
        render.show_table(_VERSIONS, rows, nothing="no configuration was in force here yet")
    return ExitCode.CLEAN


def newest_folder(config: Path, venue: str | None, state_dir: Path | None) -> Path:
    """The files of what is in force, or was last; ends the command if there are none."""
    known = versions(_history(config, venue, state_dir))
    if not known:
        _end_none(config, venue, state_dir)
    return known[-1].folder


def roll_back(
    config: Path,
    venue: str | None,
    state_dir: Path | None,
    reason: str,
    number: int | None,
    *,
    json: bool,
) -> int:
    """Validate the version that is meant, then put it back."""
    history = _history(config, venue, state_dir)
    now = _files_now(config)
    meant = _meant(versions(history), now, number)
    if meant is None:
        _end_none(config, venue, state_dir)
    try:
        wanted = _loaded(meant.folder, venue)
    except SettingsRefused as refused:
        sys.stderr.write(f"{refused}\nnothing was changed; `config history` has the others\n")
        return ExitCode.CONFIGURATION_REFUSED
    changes = _changes_to(wanted, config, venue)
    try:
        kept = put_back(meant.content, config, history, _stamp())
        (kept / "reason.txt").write_text(f"{reason}\nuid {os.geteuid()}\n")
    except (OSError, RightsTooOpen) as error:
        sys.stderr.write(f"{error}; run it again, or copy {meant.folder} to {config} by hand\n")
        return ExitCode.DURABILITY_REFUSED
    if json:
        told = {"number": int(meant.folder.name), "digest": wanted.digest, "changes": changes}
        _write({**told, "replaced": str(kept)})
        return ExitCode.CLEAN
    render.write(
        f"{config}: configuration {int(meant.folder.name)} of {_utc(meant.about.at)} is back"
        f" ({' and '.join(FILES)}); what was there is in {kept}"
    )
    for line in changes if changes is not None else ["what was there was not fit"]:
        render.write(render.clean(f"  {line}"))
    return ExitCode.CLEAN


def accept(
    config: Path, venue: str | None, state_dir: Path | None, reason: str, *, json: bool
) -> int:
    """Keep the word for the next start."""
    try:
        settings = _loaded(config, venue)
    except SettingsRefused as refused:
        sys.stderr.write(f"{refused}\n")
        return ExitCode.CONFIGURATION_REFUSED
    if not reason.strip():
        raise typer.BadParameter("found no reason, wanted one for the record")
    word = Acceptance(
        digest=settings.digest, reason=reason, by=f"uid {os.geteuid()}", at=time.time_ns()
    )
    try:
        write_acceptance(_history(config, venue, state_dir), word)
    except (OSError, RightsTooOpen) as error:
        sys.stderr.write(f"{error}\n")
        return ExitCode.DURABILITY_REFUSED
    if json:
        _write({"digest": settings.digest, "reason": reason})
    else:
        render.write(f"{config}: the next start may have configuration {settings.digest}")
    return ExitCode.CLEAN


def _meant(known: tuple[Version, ...], now: Content | None, number: int | None) -> Version | None:
    if number is not None:
        return next((each for each in known if int(each.folder.name) == number), None)
    return next((each for each in reversed(known) if each.content != now), None)


def _history(config: Path, venue: str | None, state_dir: Path | None) -> Path:
    """Where it is kept. Files that are not fit do not say where: then as it is shipped."""
    name = None if venue is None else VenueName(venue)
    try:
        settings = load_settings(config, venue=name)
    except SettingsRefused:
        settings = load_settings(SHIPPED, venue=name)
    try:
        return files_of_venue(settings, state_dir, state_dir).configurations
    except NamesClash as clash:
        sys.stderr.write(f"{config}: {clash}\n")
        raise typer.Exit(int(ExitCode.CONFIGURATION_REFUSED)) from clash


def _files_now(config: Path) -> Content | None:
    try:
        return read_files(config)
    except OSError:
        return None


def _loaded(folder: Path, venue: str | None) -> Settings:
    return load_settings(
        folder,
        venue=None if venue is None else VenueName(venue),
        signal_check=fault_in_signal,
        plugin_check=fault_in_plugin,
    )


def _changes_to(wanted: Settings, config: Path, venue: str | None) -> list[str] | None:
    """None: what is there now is not fit, so nothing can be compared."""
    try:
        present = _loaded(config, venue)
    except SettingsRefused:
        return None
    return [str(each) for each in changes_between(present, wanted)]


def _end_none(config: Path, venue: str | None, state_dir: Path | None) -> NoReturn:
    where = _history(config, venue, state_dir)
    sys.stderr.write(
        f"{where}: found no configuration to go back to; wanted one that was in force and differs"
        " from the files; say where the engine's state is with --venue or --state-dir\n"
    )
    raise typer.Exit(int(ExitCode.CONFIGURATION_REFUSED))


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _stamp() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}"


def _write(data: dict[str, Any]) -> None:
    render.write(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode())
