"""What a regression run has to be equal to: kept in the repository, changed only with an approval.

A baseline has the checksum of each file, and snapshot and figures themselves, so that a difference
can be shown. Beside it `CHANGES.md` has a line for each change: when, by whom, from which checksum
to which, and why.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from hydra.research.dataset import SHIPPED
from hydra.research.outcome import METRICS
from hydra.research.regression import ARTIFACTS, SNAPSHOT, RegressionRun, as_file, checksum
from hydra.research.snapshot import Snapshot
from hydra.venues.bar_rows import shown

FORMAT = 1
"""Of the file; a change that would break a reader makes it one more."""
BASELINES = Path(__file__).with_name("baselines")
RECORD = "CHANGES.md"

_HEAD = """\
# Changes of baselines

A baseline says how the engine has to trade. Each change of one stands here, made by
`hydra-trader regress --refresh-baseline --confirm-refresh --reason TEXT`, newest last.

| date | baseline | by | from | to | why |
| :-- | :-- | :-- | :-- | :-- | :-- |
"""
NOTHING = "nothing"
"""In place of the checksum of a baseline that was not there."""


class NoBaseline(Exception):
    """There is nothing to compare with. The message is one line and says what to do."""


class BadBaseline(Exception):
    """The file is no whole baseline, or not one of this run. The message is one line."""


class Baseline(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """As it stands in the file. It is of one data set and one seed."""

    format: int = FORMAT
    dataset: str
    dataset_digests: dict[str, str]
    seed: int
    checksums: dict[str, str]
    snapshot: Snapshot
    metrics: dict[str, Any]

    @property
    def checksum(self) -> str:
        """Names all that is compared."""
        return checksum(as_file([self.seed, self.dataset_digests, self.checksums]))


def baseline_of(run: RegressionRun) -> Baseline:
    """The baseline that this run is equal to."""
    return Baseline(
        dataset=run.dataset,
        dataset_digests=dict(run.dataset_digests),
        seed=run.seed,
        checksums=run.checksums,
        snapshot=run.snapshot,
        metrics=dict(run.metrics),
    )


def usual_baseline(dataset: Path) -> Path:
    """Of the data set that comes with Hydra, the one that does too; else in the data set itself."""
    if dataset.resolve() == SHIPPED.resolve():
        return BASELINES / f"{SHIPPED.name}.json"
    return dataset / "baseline.json"


def read_baseline(path: Path) -> Baseline:
    """Raises `NoBaseline`, `BadBaseline` and OSError."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise NoBaseline(
            f"{path}: found no baseline; wanted one to compare with; look at what would be one with"
            " --refresh-baseline, and make it with --confirm-refresh --reason TEXT besides"
        ) from None
    again = "take the file from the repository again"
    try:
        found = msgspec.json.decode(content, type=Baseline)
    except msgspec.DecodeError as error:
        raise BadBaseline(f"{path}: found no baseline ({shown(str(error))}); {again}") from None
    if found.format != FORMAT:
        raise BadBaseline(f"{path}: found format {found.format}, wanted {FORMAT}; {again}")
    kept: Mapping[str, object] = {
        SNAPSHOT: found.snapshot,
        f"{ARTIFACTS}/{METRICS}": found.metrics,
    }
    for name, value in kept.items():
        if checksum(as_file(value)) != found.checksums.get(name):
            raise BadBaseline(
                f"{path}: found a {name} that is not the one of its checksum; wanted the file as"
                f" it was written; {again}"
            )
    return found


def require_same_seed(path: Path, baseline: Baseline, seed: int) -> None:
    """Raises `BadBaseline`: a run of another seed is not to be compared."""
    if baseline.seed != seed:
        raise BadBaseline(
            f"{path}: found a baseline of seed {baseline.seed}; wanted one of seed {seed}; give"
            f" --seed {baseline.seed}, or another file with --baseline"
        )


def write_baseline(
    path: Path, new: Baseline, old: Baseline | None, *, day: date, by: str, reason: str
) -> None:
    """Put the change on record, then make it: the file is the old one or the new one, never half.

    Raises OSError.
    """
    before = NOTHING if old is None else old.checksum
    path.parent.mkdir(parents=True, exist_ok=True)
    record = path.with_name(RECORD)
    known = record.read_text("utf-8") if record.exists() else _HEAD
    cells = (day.isoformat(), path.stem, by, before, new.checksum, reason)
    line = " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells)
    _replace(record, f"{known}| {line} |\n".encode())
    _replace(path, as_file(new))


def _replace(path: Path, content: bytes) -> None:
    """With the rights of any file of a repository, which others read too."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
