"""`hydra-trader watch`: tells people when the engine is not well, from a process of its own."""

import os
import socket
import sys
import threading
import time as clock
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from hydra.ops.control.place import Place, place_meant
from hydra.ops.exit_codes import ExitCode
from hydra.ops.offline import (
    CONFIG,
    ConfigDir,
    ForVenue,
    Json,
    LogDir,
    StateDir,
    end,
    one_line_for_faults,
)

if TYPE_CHECKING:
    from hydra.ops.alerts.channels import AppriseChannel
    from hydra.ops.alerts.heartbeat import Heartbeat
    from hydra.ops.alerts.kept import KeptFiles
    from hydra.ops.alerts.metrics import Numbers
    from hydra.ops.alerts.watcher import Watcher
    from hydra.ops.as_said import AsSaid
    from hydra.settings.secrets import Secrets

LOOK_EVERY_S = 2.0
"""With a look of up to two seconds: what is told at once is on its way within five (I89)."""

NOT_DELIVERED = 1
LAST_WORDS_WITHIN_S = 5.0
LINES_WITHIN_S = 1.0
MAILBOXES_WITHIN_S = 2.0
SHOWN = 20

Daily = Annotated[
    str,
    typer.Option(
        "--daily",
        metavar="HH:MM",
        help="When to send the daily word, by system.timezone; `never` for none.",
    ),
]
MetricsPort = Annotated[
    int | None,
    typer.Option(
        "--metrics-port",
        metavar="PORT",
        min=0,
        max=65535,
        help="Serve /metrics (Prometheus) and /healthz to this machine. 0: any free port.",
        show_default=False,
    ),
]
Test = Annotated[
    bool, typer.Option("--test", help="Send a test to every channel, say what came of it, end.")
]
Show = Annotated[
    bool, typer.Option("--show", help="Show what stands and what was told last, and end.")
]


def watch(
    venue: ForVenue = None,
    config: ConfigDir = CONFIG,
    state_dir: StateDir = None,
    log_dir: LogDir = None,
    daily: Daily = "17:00",
    metrics_port: MetricsPort = None,
    test: Test = False,
    show: Show = False,
    json: Json = False,
) -> None:
    """Tell people when the engine is not well, until it is stopped.

    It looks at the engine from outside every two seconds, and brings alerts to
    the addresses in HYDRA_ALERT_URLS (in .env or the environment; with blanks
    between them; whatever service apprise knows: json://host/path,
    mailto://user:password@host, tgram://…, ntfys://…, slack://…). One incident
    is one alert, with how often it came up; a reminder after an hour, then
    later each time; and a word when it is over. What a channel does not take is
    tried again until it does.

    While the engine works it also asks for HYDRA_HEARTBEAT_URL once a minute:
    let a service elsewhere tell you when that stops, for a dead machine cannot.

    Without an address it only prints. It reads, and never touches an order.

    Exit code 0: it was stopped; 1: --test: a channel did not take it; 10: the
    settings, keys or addresses are not fit; 11: another watch is at work here.
    """
    place = place_meant(config, venue, state_dir, log_dir)
    daily_at = _time_of(daily)
    from hydra.ops.alerts.kept import KeptFiles

    files = KeptFiles(place.files.alerts)
    if show:
        _show(files, place.said, as_json=json)
        return
    secrets = _secrets()
    channels = _channels(secrets)
    if test:
        _try(channels, _who(place))
    with one_line_for_faults(place.said):
        _keep_watching(place, files, channels, secrets, daily_at, metrics_port)


def _keep_watching(
    place: Place,
    files: "KeptFiles",
    channels: "tuple[AppriseChannel, ...]",
    secrets: "Secrets",
    daily_at: time | None,
    metrics_port: int | None,
) -> None:
    from hydra.ops.alerts.looking import Looking
    from hydra.ops.alerts.printing import Printing
    from hydra.ops.alerts.watcher import Watcher, WatchTerms
    from hydra.ops.ending import StopSignals
    from hydra.store.folder_lock import held_alone

    files.make_folder()
    stopping = threading.Event()
    heartbeat = _heartbeat(secrets)
    with held_alone(place.files.alerts, "watch"), StopSignals(stopping.set):
        terms = WatchTerms(who=_who(place), said=place.said, zone=_zone(place), daily_at=daily_at)
        printing = Printing()
        watcher = Watcher(terms, files, channels, printing.say, heartbeat)
        watcher.start()
        if heartbeat is not None:
            heartbeat.start()
        server = None if metrics_port is None else _served(metrics_port, place, watcher)
        told_to = ", ".join(channel.name for channel in channels) or "nobody: no HYDRA_ALERT_URLS"
        printing.say(f"watching {place.files.lock.parent}; alerts go to {told_to}")
        if server is not None:
            printing.say(f"metrics at http://127.0.0.1:{server.port}/metrics")
        looking = Looking(place, watcher.kept.journal_seq)
        try:
            while not stopping.is_set():
                watcher.take(looking.look(), clock.time_ns())
                _wait(watcher, stopping, LOOK_EVERY_S)
            _wait(watcher, threading.Event(), LAST_WORDS_WITHIN_S, until_idle=True)
        finally:
            looking.close()
            if server is not None:
                server.close()
            printing.close(LINES_WITHIN_S)


def _wait(
    watcher: "Watcher", stopping: threading.Event, seconds: float, *, until_idle: bool = False
) -> None:
    """Until the next look, or until all is sent; what was sent meanwhile is heard of."""
    until = clock.monotonic() + seconds
    while (left := until - clock.monotonic()) > 0 and not (until_idle and watcher.is_idle):
        if stopping.wait(min(left, 0.25)):
            return
        watcher.deliver(clock.time_ns())


def _served(port: int, place: Place, watcher: "Watcher") -> Any:
    from hydra.ops.alerts.serving import MetricsServer

    try:
        server = MetricsServer(port, lambda: _numbers(place, watcher))
    except OSError as error:
        end(f"--metrics-port {port}: {error.strerror or error}", ExitCode.USAGE)
    server.start()
    return server


def _numbers(place: Place, watcher: "Watcher") -> "Numbers":
    from hydra.ops.alerts.metrics import Numbers
    from hydra.ops.debug.client import CommandFailed, DebugClient, NoEngine

    try:
        with DebugClient(place.files.debug_socket, MAILBOXES_WITHIN_S) as client:
            mailboxes = tuple(client.call("mailboxes")["rows"])
    except (NoEngine, CommandFailed):
        mailboxes = None
    return Numbers(
        seen=watcher.seen, looked_at=watcher.looked_at, kept=watcher.kept, mailboxes=mailboxes
    )


def _try(channels: "tuple[AppriseChannel, ...]", who: str) -> NoReturn:
    """A test to every channel, one after the other."""
    from hydra.ops.alerts.conditions import Severity
    from hydra.ops.alerts.wording import Message

    if not channels:
        end("HYDRA_ALERT_URLS: found no address; wanted one to test", ExitCode.USAGE)
    message = Message(
        at=clock.time_ns(),
        severity=Severity.NOTICE,
        title=f"{who}: a test",
        body="Alerts arrive here. Nothing happened.",
    )
    failures = 0
    for channel in channels:
        error = channel.send(message)
        failures += error is not None
        _say(f"pass  {channel.name}" if error is None else f"FAIL  {channel.name}: {error}")
    raise typer.Exit(NOT_DELIVERED if failures else int(ExitCode.CLEAN))


def _show(files: "KeptFiles", said: "AsSaid", *, as_json: bool) -> None:
    import msgspec

    from hydra.ops.alerts.wording import utc
    from hydra.ops.debug import render
    from hydra.ops.debug.engine import write_json

    with one_line_for_faults(said):
        kept, told = files.look(), files.told(SHOWN)
    if as_json:
        standing = [msgspec.to_builtins(each) for each in kept.incidents.values()]
        waiting = {name: len(each.messages) for name, each in kept.waiting.items()}
        write_json({"incidents": standing, "waiting": waiting, "told": told})
        return
    for each in kept.incidents.values():
        if each.told_at is None:
            continue  # it may well pass by itself
        word = "stands" if each.is_standing else "just over"
        since = utc(each.began_at)
        line = f"{word}  {each.severity.word}, since {since}: {said.in_words(each.text)}"
        render.write(render.clean(line))
    for name, waiting_there in kept.waiting.items():
        if waiting_there.messages:
            line = f"waits  {len(waiting_there.messages)} for {name}: {waiting_there.error}"
            render.write(render.clean(line))
    for row in told:
        words = ("at", "what", "channel", "severity", "title", "error")
        render.write(render.clean("  ".join(str(row[word]) for word in words if row.get(word))))
    if not kept.incidents and not told:
        render.write(f"{files.state.parent}: nothing was told yet")


def _secrets() -> "Secrets":
    from hydra.settings import SettingsRefused
    from hydra.settings.secrets import load_secrets

    try:
        return load_secrets(Path(".env"), os.environ)
    except SettingsRefused as refused:
        end(str(refused), ExitCode.CONFIGURATION_REFUSED)


def _channels(secrets: "Secrets") -> "tuple[AppriseChannel, ...]":
    from hydra.ops.alerts.channels import ChannelsRefused, channels_of

    try:
        return channels_of(secrets.alert_urls, loopback_only=secrets.network_disabled)
    except ChannelsRefused as refused:
        end(str(refused), ExitCode.CONFIGURATION_REFUSED)


def _heartbeat(secrets: "Secrets") -> "Heartbeat | None":
    from hydra.ops.alerts.heartbeat import Heartbeat, HeartbeatRefused

    if secrets.heartbeat_url is None:
        return None
    try:
        return Heartbeat(secrets.heartbeat_url, loopback_only=secrets.network_disabled)
    except HeartbeatRefused as refused:
        end(str(refused), ExitCode.CONFIGURATION_REFUSED)


def _who(place: Place) -> str:
    return f"Hydra {place.venue} on {socket.gethostname()}"


def _zone(place: Place) -> Any:
    """Of settings that are not fit nobody knows it: then the daily word comes by UTC."""
    from datetime import UTC
    from zoneinfo import ZoneInfo

    return UTC if place.settings is None else ZoneInfo(place.settings.system.timezone)


def _time_of(text: str) -> time | None:
    if text == "never":
        return None
    try:
        at = time.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is not None:
        end(f"--daily: found {text!r}, wanted HH:MM, such as 17:00, or never", ExitCode.USAGE)
    return at


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
