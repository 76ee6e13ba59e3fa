"""`hydra-trader dashboard`: the engine as a page in a browser on this machine."""

import asyncio
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hydra.ops.control.place import Place, place_meant
from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import (
    CONFIG,
    ConfigDir,
    ForVenue,
    LogDir,
    StateDir,
    end,
    one_line_for_faults,
)

if TYPE_CHECKING:
    import socket

    from hydra.ops.dashboard.app import HaltTold, HaltWanted
    from hydra.ops.dashboard.link import Link

PORT = 8484
KEY_BYTES = 32

Port = Annotated[
    int,
    typer.Option(
        "--port", metavar="PORT", min=0, max=65535, help="Of this machine; 0: any that is free."
    ),
]
ShowLink = Annotated[
    bool, typer.Option("--link", help="Show the link of the dashboard that is served, and end.")
]


def dashboard(
    venue: ForVenue = None,
    config: ConfigDir = CONFIG,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    port: Port = PORT,
    link: ShowLink = False,
) -> None:
    """Serve the engine as a page in a browser on this machine, until stopped.

    Whether it may trade and why not, its worth, bots, positions, protection,
    order routing, volatility, health, the supervisor tree with its mailboxes,
    the last decisions and alerts; the engine may run or not. From the page it
    can be halted. It cannot be let go there, and nothing can be traded.

    The page opens by its link alone, which has a key in it, and on this
    machine alone. From elsewhere: ssh -L 8484:127.0.0.1:8484 this-machine,
    with the same port on both sides. Where the output is no terminal the link
    is not printed; --link shows it.

    Exit code 0: it was stopped; 2: usage, the port is taken, or --link where
    none is served; 11: another dashboard is served for this engine; 10: the
    settings are not fit, and no engine was found without them.
    """
    place = place_meant(config, venue, state_dir, log_dir)
    with one_line_for_faults(place.said):
        if link:
            typer.echo(_link_there(place).whole)
        else:
            _serve(place, port)


def _link_there(place: Place) -> "Link":
    from hydra.ops.dashboard.link import read

    folder = place.files.dashboard
    if not _is_served(folder):  # one that was killed leaves a link that leads nowhere
        text = "no dashboard is served for this engine; start one: `hydra-trader dashboard`"
        end(place.said.in_words(text), ExitCode.USAGE)
    try:
        return read(folder)
    except (FileNotFoundError, ValueError):
        end(f"{folder}: a dashboard begins or ends just now; try again", ExitCode.USAGE)


def _is_served(folder: Path) -> bool:
    from hydra.store.folder_lock import FolderInUse, held_alone

    try:
        with held_alone(folder, "dashboard"):
            return False
    except FileNotFoundError:
        return False
    except FolderInUse:
        return True


def _serve(place: Place, port: int) -> None:
    from hydra.ops.dashboard import link as links
    from hydra.store.folder_lock import held_alone
    from hydra.store.private_files import make_private_folder
    from hydra.venues.loopback import CannotServe, listening_on

    folder = place.files.dashboard
    make_private_folder(folder)
    with held_alone(folder, "dashboard"):
        try:
            listening = listening_on(port)
        except CannotServe as taken:
            end(str(taken), ExitCode.USAGE)
        link = links.Link(listening.getsockname()[1], secrets.token_urlsafe(KEY_BYTES))
        links.put(folder, link)
        try:
            asyncio.run(_until_stopped(place, listening, link))
        finally:
            links.take_away(folder)


async def _until_stopped(place: Place, listening: "socket.socket", link: "Link") -> None:
    from hydra.ops.dashboard.access import Access
    from hydra.ops.dashboard.app import dashboard_app
    from hydra.ops.dashboard.looking import Looker
    from hydra.ops.dashboard.serving import serve
    from hydra.ops.ending import StopSignals

    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    looker = Looker(place)
    app = dashboard_app(looker, lambda wanted: _halted(place, wanted), Access(link.port, link.key))
    looker.start()
    try:
        with StopSignals(_telling(loop, stop)):
            await serve(app, listening, lambda: _say_where(place, link), stop)
    finally:
        looker.close()


def _telling(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> Callable[[], None]:
    def tell() -> None:
        loop.call_soon_threadsafe(stop.set)

    return tell


def _say_where(place: Place, link: "Link") -> None:
    """The key is for whoever sits there, and for no log."""
    if sys.stdout.isatty():
        typer.echo(f"dashboard: {link.whole}")
        typer.echo("it opens by this link alone; Ctrl-C ends it, and no engine")
        return
    show = place.said.in_words("`hydra-trader dashboard --link`")
    typer.echo(f"dashboard: {link.address} (for its link: {show})")


def _halted(place: Place, wanted: "HaltWanted") -> "HaltTold":
    from hydra.ops.dashboard.app import HaltTold
    from hydra.ops.halt import halted, is_done, words_of
    from hydra.ops.offline import Ended

    reason = f"{wanted.reason.strip()} (from the dashboard)".strip()
    try:
        told = halted(place, reason, close_only=wanted.close_only)
    except Ended as ended:
        return HaltTold(False, tuple(ended.text.splitlines()))
    return HaltTold(is_done(told), tuple(words_of(place, told)))
