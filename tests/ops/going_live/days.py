"""Days of a track record of paper, made by hand."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from hydra.ops.track_record.folder import TrackRecord
from hydra.ops.track_record.snapshots import Snapshot, TradedFor
from tests.ops.track_record.test_snapshots import taken

SESSION_S = 390 * 60


def day(date: str, configuration: str, open_s: int = SESSION_S, **more: Any) -> Snapshot:
    """A clean one, on which so much of the session could be traded with that configuration."""
    traded = (TradedFor(configuration, open_s),)
    fine = replace(
        taken(), date=date, unclean=(), session_s=SESSION_S, traded=traded, previous=None
    )
    return replace(fine, **more)


def kept(folder: Path, days: Iterable[Snapshot]) -> TrackRecord:
    """As `snapshot` leaves them."""
    track = TrackRecord(folder / "track_record")
    for each in days:
        track.add(replace(each, previous=track.last()))
    return track
