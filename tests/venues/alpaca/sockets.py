"""Loopback servers that do just what a test tells them, well or badly."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

from websockets.sync.server import ServerConnection, serve

Script = Callable[[ServerConnection], None]


def connect(address: tuple[str, int], within_s: float) -> socket.socket:
    """A plain TCP connection."""
    return socket.create_connection(address, within_s)


@contextlib.contextmanager
def websocket_server(script: Script) -> Iterator[str]:
    """Serves each connection by the script; gives the URL."""
    with serve(script, "127.0.0.1", 0, close_timeout=0.2, ping_interval=None) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        port = server.socket.getsockname()[1]
        try:
            yield f"ws://127.0.0.1:{port}/stream"
        finally:
            server.shutdown()
            thread.join(5.0)


@contextlib.contextmanager
def raw_server(script: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serves one TCP connection by the script; gives the URL that a WebSocket would be opened by.

    The connection stays open after the script's end, until the test's.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    taken: list[socket.socket] = []

    def serve_one() -> None:
        with contextlib.suppress(OSError):
            stream, _ = listener.accept()
            taken.append(stream)
            script(stream)

    thread = threading.Thread(target=serve_one, daemon=True)
    thread.start()
    try:
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}/stream"
    finally:
        for open_socket in (listener, *taken):
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
            open_socket.close()
        thread.join(5.0)
