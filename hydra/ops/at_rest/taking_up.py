"""How a command gets at an engine that does not run; what is in the way ends it with one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.ops.control.place import (
    Place,
    by_whom,
    end_unanswered,
    holder_of,
    one_line_for_the_record,
)
from hydra.ops.debug.client import NoEngine
from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import end

if TYPE_CHECKING:
    from hydra.ops.at_rest.engine import EngineAtRest

EMBEDDED = "embedded"


@contextmanager
def taken_up(
    place: Place, silent: NoEngine, bars: Path | None, *, when_it_trades: bool = False
) -> "Iterator[EngineAtRest]":
    """The engine that does not run (`silent` says so), for as long as the block lasts.

    An engine that hangs still has its record, and may have sends on their way: it is named, and
    left to a person (exit code 11). `bars` and `when_it_trades` as in `engine_at_rest`.
    """
    settings = place.require_fit()
    require_embedded(place.venue)
    if holder_of(place) is not None:
        end_unanswered(place, silent)
    # Only here: a command that reaches a running engine needs none of it.
    from hydra.ops.at_rest.engine import FailedClosed, engine_at_rest
    from hydra.ops.at_rest.market import NothingThere, OtherMarket, market_at_rest
    from hydra.venues.bar_rows import BadData
    from hydra.venues.simulated.request_log import VenueLogFailed, VenueLogRefused

    with one_line_for_the_record(place, silent):
        try:
            market = market_at_rest(place.files, settings, bars)
            files, by = place.files, by_whom()
            with engine_at_rest(
                files, settings, market, by, when_it_trades=when_it_trades
            ) as engine:
                yield engine
        except (BadData, NothingThere, OtherMarket) as unusable:
            end(str(unusable), ExitCode.USAGE)
        except (VenueLogFailed, VenueLogRefused) as bad:
            end(str(bad), ExitCode.DURABILITY_REFUSED)
        except FailedClosed as failed:
            advice = "trading is shut; look at the journal, then say it again"
            end(f"FAILED CLOSED: {failed}; {advice}", ExitCode.FAIL_CLOSED)


def require_embedded(*venues: str) -> None:
    """End the command with 2 if one of these is a venue that this version does not trade on."""
    others = [venue for venue in venues if venue != EMBEDDED]
    if others:
        end(
            f"venue {' and '.join(others)}: this version trades on the embedded venue only; use"
            " --venue embedded",
            ExitCode.USAGE,
        )
