"""A recorded day once more, by the engine itself and not by its recording: what if (K8)?

The bars are those that the session received, and the cash is what it began with; all else may be
chosen: a limit, a strategy, a bot, fees. With nothing chosen otherwise it is the session's day as a
replay has it, beside which the others are to be held.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec

from hydra.ops.artefacts import folder as files
from hydra.ops.artefacts import story
from hydra.ops.artefacts.opening import Opening, opening_in
from hydra.ops.flight import FOLDER
from hydra.research.recorded import NotRecorded, description_in
from hydra.research.recorded_market import NoRecordedMarket, recorded_market
from hydra.research.replay_data import ReplayData
from hydra.runtime.contents import NotReadable
from hydra.runtime.recording import RecordingDamaged
from hydra.settings import Settings


class NoRecordedDay(Exception):
    """There is no day of a session that could be played. One line."""


class RecordedDay(msgspec.Struct, frozen=True, kw_only=True):
    """The day of one session. `cash` is what it began with, in USD; None: nobody knows.

    `remarks`: in what the day is not the session's, a line each.
    """

    data: ReplayData
    cash: Decimal | None
    remarks: tuple[str, ...]


def recorded_day(bundle: Path, settings: Settings, *, history: int) -> RecordedDay:
    """The day of the session of this bundle, to be played by these settings.

    `history`: so many bars of each symbol of before it began. Raises `NoRecordedDay`.
    """
    told = bundle / files.STORY
    try:
        data = recorded_market(bundle, history=history)
        ran_with = description_in(bundle / FOLDER).configuration
        opening = opening_in(story.lines_in(told) if told.exists() else [])
    except (NoRecordedMarket, NotReadable, NotRecorded, RecordingDamaged) as error:
        raise NoRecordedDay(str(error)) from error
    except msgspec.ValidationError as error:
        raise NoRecordedDay(f"{told}: its first line is none of ours: {error}") from error
    return RecordedDay(
        data=data, cash=opening.cash, remarks=tuple(_remarks(settings, ran_with, opening))
    )


def _remarks(settings: Settings, ran_with: str, opening: Opening) -> Iterator[str]:
    if settings.digest != ran_with:
        yield (
            f"the session ran with other settings ({ran_with}) than are here ({settings.digest});"
            " `hydra-trader config rollback` puts them back"
        )
    if opening.cash is None:
        yield (
            "nobody knows with what cash the session began; here it begins flat, with what --cash"
            " says"
        )
    if opening.held or opening.orders:
        yield (
            f"the session began with {len(opening.held)} positions and {len(opening.orders)} open"
            " orders; here it begins flat"
        )
