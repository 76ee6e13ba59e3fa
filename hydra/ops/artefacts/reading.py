"""Reading bundles back: what is in one, which is the newest, and whether two tell the same.

A bundle that was cut off anywhere is read as far as it goes: a line that has no end does not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from hydra.ops.artefacts import folder as files
from hydra.ops.artefacts import provenance as origins
from hydra.ops.artefacts import story
from hydra.ops.artefacts.opening import opening_in
from hydra.ops.artefacts.report import Report, report_of, told_by
from hydra.ops.artefacts.rows import COLUMNS, ORDERS, rows_in

DIFFERENCES_MAX = 50


class NoBundle(Exception):
    """There is no bundle where one was looked for, or none that can be read."""


def newest_in(runs: Path) -> Path:
    """The bundle of the newest start. Raises NoBundle."""
    bundles = files.bundles_in(runs)
    if not bundles:
        raise NoBundle(
            f"{runs}: found no session's bundle, wanted one such as {runs}/2026-01-05-001; run a"
            " session first, or say where they are with --state-dir or --venue"
        )
    return bundles[-1]


def provenance_in(folder: Path) -> origins.Provenance:
    """Raises NoBundle if it is not there, or not readable."""
    try:
        return origins.decoded((folder / files.PROVENANCE).read_bytes())
    except FileNotFoundError as error:
        raise NoBundle(
            f"{folder}: found no {files.PROVENANCE}, so this is no session's bundle"
        ) from error
    except msgspec.MsgspecError as error:
        raise NoBundle(f"{folder / files.PROVENANCE}: cannot be read: {error}") from error


def report_in(folder: Path) -> Report:
    """What the story says, whatever became of the other files. Raises NoBundle."""
    provenance = provenance_in(folder)
    if provenance.is_closed:
        # Only this one has been held against the ledger.
        with suppress(FileNotFoundError, msgspec.MsgspecError):
            return msgspec.json.decode((folder / files.STATE).read_bytes(), type=Report)
    path = folder / files.STORY
    lines = story.lines_in(path) if path.exists() else []
    try:
        opening = opening_in(lines)
    except msgspec.ValidationError as error:
        raise NoBundle(f"{path}: its first line is none of ours: {error}") from error
    told, _ = told_by(opening, lines)
    return report_of(provenance, told)


def normalised(folder: Path) -> dict[str, Any]:
    """The bundle in a form in which two runs of the same trades are the same.

    What is only of this run is taken out: names that the venue or the account give, numbers of
    lines, paths, the machine, its clock, and how long things took. Raises NoBundle.
    """
    provenance, report = provenance_in(folder), report_in(folder)
    run = msgspec.to_builtins(provenance.run)
    names = _names_of_orders(folder)
    neutral: dict[str, Any] = {
        "run": {key: run[key] for key in ("configuration", "data", "origin", "seed", "window")},
    }
    for file in COLUMNS:
        neutral[file] = [_neutral_row(row, names) for row in rows_in(folder / file)]
    neutral[ORDERS].sort(key=lambda row: tuple(row.values()))
    neutral[files.STATE] = _neutral_report(report)
    return neutral


def differences(one: Path, other: Path) -> list[str]:
    """In what two bundles differ, one line each, at most so many. Raises NoBundle."""
    found: list[str] = []
    for line in _differing("", normalised(one), normalised(other)):
        if len(found) == DIFFERENCES_MAX:
            found.append("and more")
            break
        found.append(line)
    return found


def _differing(where: str, one: object, other: object) -> Iterator[str]:
    match one, other:
        case dict(), dict():
            for key in dict.fromkeys([*one, *other]):
                place = f"{where}.{key}" if where else str(key)
                yield from _differing(place, one.get(key), other.get(key))
        case list(), list():
            if len(one) != len(other):
                yield f"{where}: {len(one)} entries here, {len(other)} there"
            for number, (here, there) in enumerate(zip(one, other, strict=False), 1):
                yield from _differing(f"{where} {number}", here, there)
        case _:
            if one != other:
                yield f"{where}: {one} here, {other} there"


def _names_of_orders(folder: Path) -> dict[str, str]:
    """Each order's name with the decision that it was made for, which two runs have in common."""
    return {
        row["client_order_id"]: " ".join(
            row[part] for part in ("bot", "symbol", "session", "signal", "role")
        )
        for row in rows_in(folder / ORDERS)
        if row["client_order_id"]
    }


_OF_THIS_RUN = ("venue_order_id", "accepted_at", "accepted_at_ns")


def _neutral_row(row: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    return {
        column: names.get(cell, cell) for column, cell in row.items() if column not in _OF_THIS_RUN
    }


def _neutral_report(report: Report) -> dict[str, Any]:
    neutral: dict[str, Any] = msgspec.to_builtins(report)
    for key in (
        "account",
        "is_closed",
        "ledger",
        "mode",
        "session",
        "slowest_decision",
        "told_until",
        "troubles",
        "venue",
    ):
        del neutral[key]
    del neutral["trades"]  # they are compared as the table that they are
    return neutral
