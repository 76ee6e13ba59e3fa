"""The regression harness: one replay of a fixed data set, with all that is compared as bytes.

The same data set and seed give the same files on any machine. What depends on the version of the
code (its number, the digests of settings and ledger) stands in `provenance.json`, which is not
compared: a baseline holds until the engine trades otherwise.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from hydra import __version__
from hydra.ops.artefacts.book import SessionBook
from hydra.ops.artefacts.folder import replace
from hydra.ops.artefacts.opening import NOTHING_KNOWN
from hydra.ops.artefacts.rows import ORDERS, Row, as_rows, header
from hydra.ops.artefacts.story import Line
from hydra.research.closed_trades import trades_csv
from hydra.research.curve_file import curve_csv
from hydra.research.dataset import Dataset
from hydra.research.metrics import as_json, measured
from hydra.research.outcome import CURVE, METRICS, TRADES
from hydra.research.replay_run import ReplayPlan, facts_of
from hydra.research.scratch_replay import ScratchReplay, scratch_replay
from hydra.research.snapshot import Snapshot, snapshot_of
from hydra.store.private_files import make_private_folder

SNAPSHOT, CHECKSUMS, PROVENANCE = "snapshot.json", "checksums.json", "provenance.json"
ARTIFACTS = "artifacts"
_ANY = "any"
"""In place of what names a version of the code, in files that are compared."""


class RegressionRun(msgspec.Struct, frozen=True, kw_only=True):
    """What one run gave. `files` are those that are compared, by their names in the folder."""

    dataset: str
    dataset_digests: Mapping[str, str]
    seed: int
    snapshot: Snapshot
    metrics: Mapping[str, Any]
    files: Mapping[str, bytes]
    provenance: Mapping[str, object]

    @property
    def checksums(self) -> dict[str, str]:
        """Names the content of each file that is compared."""
        return {name: checksum(content) for name, content in self.files.items()}


def checksum(content: bytes) -> str:
    """blake2b of 16 bytes, hexadecimal."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def as_file(value: object) -> bytes:
    """JSON for people and for `diff`: a line for each value, keys in order."""
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2) + b"\n"


def regression_run(
    dataset: Dataset, seed: int, *, is_stopping: Callable[[], bool] = lambda: False
) -> RegressionRun:
    """Play it. Nothing is left on the disk. Raises `ReplayFailed` and `LookAhead`.

    What `is_stopping` has ended on its way is not to be compared.
    """
    plan = ReplayPlan(
        settings=dataset.settings,
        data=dataset.data,
        terms=dataset.terms,
        seed=seed,
        label=dataset.name,
        folder=Path(),
        with_sheet=False,
    )
    played = scratch_replay(plan.task, is_stopping=is_stopping)
    facts = msgspec.structs.replace(
        facts_of(plan, played.replayed),
        version=_ANY,
        configuration=_ANY,
        origin=f"data set {dataset.name}",
    )
    found = measured(facts)
    snapshot = snapshot_of(played, dataset.data, dataset.terms.starting_cash)
    metrics = as_json(found.metrics)
    return RegressionRun(
        dataset=dataset.name,
        dataset_digests=dataset.digests,
        seed=seed,
        snapshot=snapshot,
        metrics=msgspec.json.decode(metrics),
        files={
            SNAPSHOT: as_file(snapshot),
            f"{ARTIFACTS}/{METRICS}": metrics,
            f"{ARTIFACTS}/{CURVE}": b"".join(curve_csv(found.curve)),
            f"{ARTIFACTS}/{ORDERS}": _orders_csv(played.story),
            f"{ARTIFACTS}/{TRADES}": trades_csv(found.traded.trades),
        },
        provenance=_provenance(dataset, played),
    )


def write_run(folder: Path, run: RegressionRun, label: str) -> None:
    """Leave its files in `folder`, in place of those of an earlier run. Raises OSError."""
    make_private_folder(folder / ARTIFACTS)
    for name, content in run.files.items():
        replace(folder / name, content)
    replace(folder / CHECKSUMS, as_file(run.checksums))
    replace(folder / PROVENANCE, as_file({**run.provenance, "label": label, "seed": run.seed}))


def _provenance(dataset: Dataset, played: ScratchReplay) -> dict[str, object]:
    return {
        "dataset": dataset.name,
        "dataset_digests": dataset.digests,
        "code_version": __version__,
        "configuration_digest": dataset.settings.digest,
        "market_digest": dataset.data.market.digest,
        "ledger_chain": played.replayed.ledger,
    }


def _orders_csv(story: Iterable[Line]) -> bytes:
    """Every order and every intent that was denied, as the bundle of a session has them."""
    book = SessionBook(NOTHING_KNOWN)
    over = [row for line in story for row in _rows_of_orders(book, line)]
    assert not book.not_understood, "these are lines of this very engine"
    rows = [*map(book.as_it_ended, over), *book.open_rows()]
    return header(ORDERS) + as_rows(rows)


def _rows_of_orders(book: SessionBook, line: Line) -> Iterator[Row]:
    return (row for table, row in book.take(line) if table == ORDERS)
