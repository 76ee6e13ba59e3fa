"""A client of one of the engine's sockets that sends what it was given, and hangs up."""

import os
import socket
import threading
from collections.abc import Set
from contextlib import suppress

import orjson

from hydra.ops.debug.command_table import CommandTable
from hydra.ops.debug.endpoint import Peer
from hydra.ops.debug.pacing import CpuBudget
from hydra.ops.debug.protocol import LINE_MAX, REPLY_MAX, Malformed, parse
from hydra.ops.debug.session import Limits, Session
from hydra.runtime.runtime import Runtime
from tests.fuzz.target import require

WITHIN_S = 10.0
UNHURRIED = Limits(cpu_share=1.0)

Reply = dict[str, object]


def served(runtime: Runtime, table: CommandTable, data: bytes) -> list[Reply]:
    """By a session of its own, as the server begins one for each client: it lets in only some
    hundred a second.
    """
    ours, theirs = socket.socketpair()
    budget = CpuBudget(1.0, 1.0)
    peer = Peer(uid=os.geteuid(), pid=os.getpid())
    session = Session(runtime, table, theirs, peer, UNHURRIED, budget, threading.Event())
    ended = threading.Event()
    serving = threading.Thread(target=session.run, args=(ended.set,), daemon=True)
    serving.start()
    with ours:
        replies = heard(ours, data)
    serving.join(WITHIN_S)
    require(ended.is_set() and not serving.is_alive(), "its thread goes on without a client")
    return replies


def heard(client: socket.socket, data: bytes) -> list[Reply]:
    """Everything that is said to this until the other side hangs up; each a yes or a no, and none
    of them says that the server itself has failed.
    """
    client.settimeout(WITHIN_S)
    told = bytearray()
    with suppress(BrokenPipeError, ConnectionResetError):
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
    with suppress(ConnectionResetError):
        while piece := client.recv(65_536):
            told += piece
    lines = bytes(told).split(b"\n")
    require(lines.pop() == b"", "its last reply has no end")
    require(all(len(line) < REPLY_MAX for line in lines), "a reply that is too long")
    replies = [orjson.loads(line) for line in lines]
    for reply in replies:
        require(reply.get("ok") in (True, False), f"neither yes nor no: {reply}"[:300])
        error = str(reply.get("error", ""))
        require("a fault of the" not in error, error[:300])
    return replies


def require_answered(data: bytes, replies: list[Reply], streams: Set[str] = frozenset()) -> None:
    """Every request has its reply; the first thing that is none is told, and is the end.

    How many replies a stream has is not to be told from the request.
    """
    wanted, is_dropped = 0, False
    for line in data.split(b"\n")[:-1]:
        wanted += 1
        try:
            if len(line) >= LINE_MAX:
                raise Malformed("too long")
            if parse(line).command in streams:
                return
        except Malformed:
            is_dropped = True
            break
    final = [reply for reply in replies if not reply.get("more")]
    has_long_end = len(data.rpartition(b"\n")[2]) >= LINE_MAX
    if any(len(line) >= LINE_MAX for line in data.split(b"\n")):
        return  # what came with it in one piece is dropped with it
    require(has_long_end or len(final) == wanted, f"{len(final)} replies to {wanted} requests")
    require(not is_dropped or final[-1]["ok"] is False, "what is no request was done")
