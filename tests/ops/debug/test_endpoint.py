import os
import socket
import struct
import sys
from pathlib import Path

import pytest

from hydra.ops.debug.endpoint import (
    XUCRED_BYTES,
    Endpoint,
    Peer,
    SocketTaken,
    path_to,
    peer_of,
    uid_in_xucred,
)
from hydra.store.private_files import RightsTooOpen


def test_the_kernel_says_who_is_at_the_other_end() -> None:
    here, there = socket.socketpair(socket.AF_UNIX)
    with here, there:
        assert peer_of(here) == Peer(os.geteuid(), os.getpid())


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS knows the peer of any UNIX socket")
def test_what_is_no_unix_socket_has_no_known_peer() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
        assert peer_of(elsewhere) is None or peer_of(elsewhere) != Peer(os.geteuid(), os.getpid())


def test_the_user_is_read_from_what_macos_says_if_the_version_is_known() -> None:
    groups = struct.pack("=16I", *range(16))
    known = struct.pack("=IIhh", 0, 501, 1, 0) + groups

    assert len(known) == XUCRED_BYTES
    assert uid_in_xucred(known) == 501
    assert uid_in_xucred(struct.pack("=I", 7) + known[4:]) is None


def test_an_endpoint_that_another_has_replaced_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "debug.sock"
    first = Endpoint(path)
    path.unlink()
    second = Endpoint(path)

    first.close()

    assert path.is_socket()
    second.close()
    assert not path.exists()


def answers(endpoint: Endpoint) -> bool:
    """Whether who looks for it at its path gets through to it."""
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(os.fsencode(path_to(endpoint.wanted)))
        except OSError:
            return False
    endpoint.socket.accept()[0].close()
    return True


@pytest.mark.parametrize("is_long", [False, True])
def test_what_leads_to_it_is_made_again_whichever_file_went_i73(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, is_long: bool
) -> None:
    short = tmp_path_factory.mktemp("run")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short))
    folder = tmp_path_factory.mktemp("long" * 20 if is_long else "state")
    endpoint = Endpoint(folder / "debug.sock")
    files = (endpoint.path, endpoint.wanted)
    assert (endpoint.path != endpoint.wanted, endpoint.made_again()) == (is_long, None)

    for gone in ((files[0],), (files[1],), files):
        for path in gone:
            path.unlink(missing_ok=True)
        again = endpoint.made_again()
        if again is not None:
            endpoint.let_go()
            endpoint = again
        assert answers(endpoint)
        assert endpoint.made_again() is None

    endpoint.close()
    assert not any(path.is_symlink() or path.exists() for path in files)
    assert list(short.iterdir()) == []


def test_what_another_engine_put_in_its_place_is_left_alone_i57(tmp_path: Path) -> None:
    path = tmp_path / "debug.sock"
    ours = Endpoint(path)
    path.unlink()
    other = Endpoint(path)

    with pytest.raises(SocketTaken, match="another engine answers there"):
        ours.made_again()

    assert answers(other)
    ours.close()
    other.close()


@pytest.mark.parametrize("is_another", [False, True])
def test_in_a_folder_that_went_and_in_another_of_its_name_nothing_is_made_i57(
    tmp_path: Path, is_another: bool
) -> None:
    folder = tmp_path / "state"
    endpoint = Endpoint(folder / "debug.sock")
    folder.rename(tmp_path / "moved")
    if is_another:
        folder.mkdir(mode=0o700)

    assert endpoint.made_again() is None

    assert folder.exists() == is_another
    assert list(folder.glob("*")) == []
    endpoint.let_go()


def test_where_nothing_is_short_enough_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hydra.ops.debug.endpoint.PATH_BYTES_MAX", 10)

    with pytest.raises(SocketTaken, match="is too long for a socket"):
        Endpoint(tmp_path / "debug.sock")


def test_a_socket_of_somebody_else_is_not_spoken_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = Endpoint(tmp_path / "debug.sock")
    mine = os.geteuid()
    monkeypatch.setattr("os.geteuid", lambda: mine + 1)

    with pytest.raises(RightsTooOpen, match=f"belongs to user {mine}, not to {mine + 1}"):
        path_to(endpoint.path)

    endpoint.close()
