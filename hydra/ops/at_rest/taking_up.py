"""How a command gets at an engine that does not run; what is in the way ends it with one line."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

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


@contextmanager
def taken_up(
    place: Place, silent: NoEngine, bars: Path | None, command: str
) -> "Iterator[EngineAtRest]":
    """The engine that does not run (`silent` says so), for as long as the block lasts.

    An engine that hangs still has its record, and may have sends on their way: it is named, and
    left to a person (exit code 11). `bars` is what the run was given with --data, `command` the
    verb that takes it up.
    """
    settings = place.require_fit()
    if holder_of(place) is not None:
        end_unanswered(place, silent)
    # Only here: a command that reaches a running engine needs none of it.
    from hydra.ops.at_rest.account import account_at_rest
    from hydra.ops.at_rest.engine import FailedClosed, engine_at_rest
    from hydra.ops.at_rest.market import NothingThere, OtherMarket
    from hydra.ops.broker_account import NoAccount
    from hydra.settings import SettingsRefused
    from hydra.venues.bar_rows import BadData
    from hydra.venues.simulated.request_log import VenueLogRefused

    with one_line_for_the_record(place, silent):
        try:
            account = account_at_rest(place.files, settings, bars, os.environ, _say)
            with engine_at_rest(place.files, settings, account, by_whom(), command) as engine:
                yield engine
        except (BadData, NothingThere, OtherMarket) as unusable:
            end(str(unusable), ExitCode.USAGE)
        except NoAccount as none:
            end(str(none), none.code)
        except SettingsRefused as refused:
            end(str(refused), ExitCode.CONFIGURATION_REFUSED)
        except VenueLogRefused as bad:
            end(str(bad), ExitCode.DURABILITY_REFUSED)
        except FailedClosed as failed:
            advice = "trading is shut; look at the journal, then say it again"
            end(f"FAILED CLOSED: {failed}; {advice}", ExitCode.FAIL_CLOSED)


def _say(line: str) -> None:
    typer.echo(line, err=True)
