"""What the runs have found, on the disk: a file a run, put there whole, the newest ones kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from hydra.ops.canary.standing import NAME, finding
from hydra.ops.track_record.folder import write_whole
from hydra.store.private_files import make_private_folder
from hydra.store.syncing import sync_folder
from hydra.trading.findings import Finding
from hydra.venues.alpaca.canary.lines import Report

KEPT = 30
SIZE_MAX = 1024 * 1024
_NAME = re.compile(r"\d{8}T\d{6}Z\.json", re.ASCII)


class ResultsUnreadable(Exception):
    """A result is not what was written: the file, and what is wrong with it."""


def keep(folder: Path, report: Report) -> Path:
    """Put it beside the others, and take away what is too old. Raises OSError, RightsTooOpen."""
    make_private_folder(folder)
    path = folder / f"{report.at.replace('-', '').replace(':', '')}.json"
    write_whole(path, msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    for old in _files(folder)[KEPT:]:
        old.unlink(missing_ok=True)
    sync_folder(folder)
    return path


def kept(folder: Path) -> tuple[Report, ...]:
    """The newest first; none where nothing was ever kept. Raises `ResultsUnreadable`."""
    return tuple(map(_read, _files(folder)))


def contract_findings(
    folder: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> tuple[Finding, ...]:
    """What `health` says of it: one line, or none where no canary was ever run."""
    try:
        found = finding(kept(folder), now())
    except ResultsUnreadable as unreadable:
        found = Finding(
            NAME, False, f"{unreadable}; remove it, and run `hydra-trader canary --venue paper`"
        )
    return () if found is None else (found,)


def _files(folder: Path) -> list[Path]:
    try:
        found = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ResultsUnreadable(f"{folder}: {error.strerror or error}") from error
    return sorted(found, reverse=True)


def _read(path: Path) -> Report:
    try:
        with path.open("rb") as file:
            report = msgspec.json.decode(file.read(SIZE_MAX), type=Report)
        if datetime.fromisoformat(report.at).tzinfo is None:
            raise ValueError(f"the time {report.at} has no offset")
    except OSError as error:
        raise ResultsUnreadable(f"{path}: {error.strerror or error}") from error
    except ValueError as error:
        raise ResultsUnreadable(f"{path}: found no result of a canary ({error})") from error
    return report
