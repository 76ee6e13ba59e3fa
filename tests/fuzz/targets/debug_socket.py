"""The debug socket: who says nonsense is told so or dropped, and the next one is served (I85)."""

import os
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import orjson

from hydra.ops.debug.commands import COMMANDS, DEBUG
from hydra.ops.debug.endpoint import Peer
from hydra.ops.debug.pacing import CpuBudget
from hydra.ops.debug.protocol import LINE_MAX, REPLY_MAX, Malformed, parse, request
from hydra.ops.debug.session import Session
from tests.fuzz.spoiling import json_lines
from tests.fuzz.target import Target, Verdict, require
from tests.ops.debug.engines import UNHURRIED, Live, live

ARGUMENTS = ("path", "limit", "count", "lane", "type", "payload", "sort", "reason", "id", "dirty")
PATHS = ("/root", "/root/core/keeper", "/root/bots/frail", "/hydra", "/")
HEAVY = {"gil", "gc", "halt", "suspend", "resume"}
"""Commands that measure for a while, or change what the next input meets."""
SEEDS = (
    *(request(1, name, {}) for name in sorted(COMMANDS.keys() - HEAVY)),
    request("a", "peek", {"path": "/root/core/keeper", "limit": 5}),
    request(None, "tree", {}) + request(2, "tree", {}) + b"not JSON\n" + request(3, "tree", {}),
)
WITHIN_S = 10.0
ASK = request("still", "tree", {})


HUGE = (
    lambda: b"x" * 5_000_000,
    lambda: b"\n" * 5_000,
    lambda: b"[" * (LINE_MAX - 10) + b"\n",
    lambda: b'{"v":1,"cmd":"tree","args":' + b'{"a":' * 10_000 + b"\n",
    lambda: b'{"v":1,"id":' + b"9" * 5_000 + b',"cmd":"tree"}\n',
)


@contextmanager
def debug_socket(folder: Path) -> Iterator[Target]:
    """What one client sends, and then that it has no more to say; behind it comes another one."""
    folder.chmod(0o700)
    with live(folder) as engine:
        one = _one_more(engine)
        engine.entries.clear()  # how it started

        def feed(data: bytes) -> Verdict:
            if any(command.encode() in data for command in HEAVY):
                return Verdict.REFUSED  # these have tests of their own
            is_short_way = len(data) % 8 > 0
            replies = _served(engine, data) if is_short_way else _replies(engine, data)
            for reply in replies:
                require(reply.get("ok") in (True, False), f"neither yes nor no: {reply}"[:300])
                error = str(reply.get("error", ""))
                require("a fault of the debug server" not in error, error[:300])
            _require_answered(data, replies)
            if not is_short_way:
                require(_one_more(engine) == one, "the next client is answered otherwise")
            require(engine.runtime.failed_closed is None, "the engine failed closed")
            noted, engine.entries[:] = list(engine.entries), []
            require(not noted, f"it has written into the journal: {noted}"[:300])
            return Verdict.ACCEPTED if any(each["ok"] for each in replies) else Verdict.REFUSED

        yield Target(
            name="debug_socket",
            feed=feed,
            seeds=SEEDS,
            spoil=_spoil,
            huge=HUGE,
            input_bytes_max=2 * LINE_MAX,
        )


def _spoil(data: bytes, dice: random.Random) -> bytes:
    match dice.randrange(12):
        case 0:
            command = dice.choice(sorted(COMMANDS.keys() - HEAVY))
            arguments = {dice.choice(ARGUMENTS): dice.choice((*PATHS, 5, True))}
            return data + request(dice.randrange(9), command, arguments)
        case 1 if dice.random() < 0.2:
            return data + b'{"v":1,"id":"' + b"x" * dice.choice((LINE_MAX, 200, LINE_MAX // 2))
        case _:
            return json_lines((*ARGUMENTS, *PATHS, *COMMANDS))(data, dice)


def _served(engine: Live, data: bytes) -> list[dict[str, object]]:
    """By a session of its own, as the server begins one for each client: it lets in only some
    hundred a second.
    """
    ours, theirs = socket.socketpair()
    budget = CpuBudget(1.0, 1.0)
    peer = Peer(uid=os.geteuid(), pid=os.getpid())
    session = Session(engine.runtime, DEBUG, theirs, peer, UNHURRIED, budget, threading.Event())
    ended = threading.Event()
    serving = threading.Thread(target=session.run, args=(ended.set,), daemon=True)
    serving.start()
    with ours:
        replies = _heard(ours, data)
    serving.join(WITHIN_S)
    require(ended.is_set() and not serving.is_alive(), "its thread goes on without a client")
    return replies


def _replies(engine: Live, data: bytes) -> list[dict[str, object]]:
    """By way of the server's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(str(engine.path))
        return _heard(client, data)


def _heard(client: socket.socket, data: bytes) -> list[dict[str, object]]:
    """Everything that is said to this until the other side hangs up."""
    client.settimeout(WITHIN_S)
    heard = bytearray()
    with suppress(BrokenPipeError, ConnectionResetError):
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
    with suppress(ConnectionResetError):
        while piece := client.recv(65_536):
            heard += piece
    lines = bytes(heard).split(b"\n")
    require(lines.pop() == b"", "its last reply has no end")
    require(all(len(line) < REPLY_MAX for line in lines), "a reply that is too long")
    return [orjson.loads(line) for line in lines]


def _require_answered(data: bytes, replies: list[dict[str, object]]) -> None:
    """Every request has its reply; the first thing that is none is told, and is the end."""
    wanted, is_dropped = 0, False
    for line in data.split(b"\n")[:-1]:
        wanted += 1
        try:
            if len(line) >= LINE_MAX:
                raise Malformed("too long")
            if parse(line).command in ("trace", "dead-letters"):
                return  # a stream: how many replies it has is not to be told from the request
        except Malformed:
            is_dropped = True
            break
    final = [reply for reply in replies if not reply.get("more")]
    has_long_end = len(data.rpartition(b"\n")[2]) >= LINE_MAX
    if any(len(line) >= LINE_MAX for line in data.split(b"\n")):
        return  # what came with it in one piece is dropped with it
    require(has_long_end or len(final) == wanted, f"{len(final)} replies to {wanted} requests")
    require(not is_dropped or final[-1]["ok"] is False, "what is no request was done")


def _one_more(engine: Live) -> object:
    """How another client is answered, who asks for something that does not change."""
    (reply,) = _replies(engine, ASK)
    data = reply["data"]
    assert isinstance(data, dict)
    return sorted(row["path"] for row in data["rows"])
