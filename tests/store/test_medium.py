"""Which disks a ledger may be on."""

import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.store.medium import (
    LOCAL_DISKS,
    Kind,
    Medium,
    Mount,
    NotLasting,
    classified,
    medium_of,
    medium_on,
    require_lasting,
)

MEMORY = Path("/dev/shm")

ROOT = Mount(Path("/"), "ext4", "/dev/sda1")
HOME = Mount(Path("/home"), "xfs", "/dev/sdb1")
SHARE = Mount(Path("/home/share"), "nfs4", "server:/export")
SCRATCH = Mount(Path("/run"), "tmpfs", "tmpfs")


@pytest.fixture
def folder_in_memory() -> Iterator[Path]:
    if not MEMORY.is_dir() or medium_of(MEMORY).file_system != "tmpfs":
        pytest.skip(f"{MEMORY} is not in memory on this machine")
    folder = MEMORY / f"hydra-{uuid.uuid4()}"
    folder.mkdir(mode=0o700)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("file_system", LOCAL_DISKS)
def test_a_local_disk_lasts_i51(file_system: str) -> None:
    assert classified(file_system, "/dev/nvme0n1p2") is Kind.LOCAL
    assert classified(file_system.upper()) is Kind.LOCAL


@pytest.mark.parametrize(
    ("file_system", "device", "kind"),
    [
        ("nfs", "server:/export", Kind.NETWORK),
        ("nfs4", "server:/export", Kind.NETWORK),
        ("cifs", "//server/share", Kind.NETWORK),
        ("smb3", "//server/share", Kind.NETWORK),
        ("smbfs", "//user@server/share", Kind.NETWORK),
        ("9p", "drvfs", Kind.NETWORK),
        ("virtiofs", "share", Kind.NETWORK),
        ("fuse.sshfs", "user@server:", Kind.NETWORK),
        ("fuse.glusterfs", "server:/volume", Kind.NETWORK),
        ("fuse.mergerfs", "a:b", Kind.PROGRAM),
        ("fuse", "x", Kind.PROGRAM),
        ("tmpfs", "tmpfs", Kind.MEMORY),
        ("ramfs", "none", Kind.MEMORY),
        ("rootfs", "rootfs", Kind.MEMORY),
        ("ext4", "/dev/ram0", Kind.MEMORY),
        ("btrfs", "/dev/zram1", Kind.MEMORY),
        ("vfat", "/dev/sdc1", Kind.UNKNOWN),
        ("fuseblk", "/dev/sdc1", Kind.UNKNOWN),
        ("ext5", "/dev/sda1", Kind.UNKNOWN),
        ("", "", Kind.UNKNOWN),
    ],
)
def test_what_does_not_last_has_a_word_of_its_own_i51(
    file_system: str, device: str, kind: Kind
) -> None:
    assert classified(file_system, device) is kind


@given(st.text())
def test_a_file_system_that_nobody_allowed_is_never_a_local_disk_i51(name: str) -> None:
    assert (classified(name) is Kind.LOCAL) == (name.lower() in LOCAL_DISKS)


@pytest.mark.parametrize(
    ("path", "mounts", "medium"),
    [
        ("/srv/state", (ROOT, HOME), Medium(Kind.LOCAL, "ext4", Path("/"))),
        ("/home/a/state", (ROOT, HOME, SHARE), Medium(Kind.LOCAL, "xfs", Path("/home"))),
        ("/home/a/state", (SHARE, HOME, ROOT), Medium(Kind.LOCAL, "xfs", Path("/home"))),
        ("/homes/a", (ROOT, HOME), Medium(Kind.LOCAL, "ext4", Path("/"))),
        ("/home/share", (ROOT, HOME, SHARE), Medium(Kind.NETWORK, "nfs4", Path("/home/share"))),
        ("/srv", (HOME,), Medium(Kind.UNKNOWN, "no file system is mounted there", None)),
        ("/srv", (), Medium(Kind.UNKNOWN, "no file system is mounted there", None)),
    ],
)
def test_the_longest_mount_point_above_a_path_says_what_it_is_on(
    path: str, mounts: tuple[Mount, ...], medium: Medium
) -> None:
    assert medium_on(Path(path), mounts) == medium


def test_of_two_mounts_at_one_place_the_last_counts_i51() -> None:
    waiting = Mount(Path("/data"), "autofs", "systemd-1")
    disk = Mount(Path("/data"), "ext4", "/dev/sdd1")

    assert medium_on(Path("/data/x"), (ROOT, waiting, disk)).file_system == "ext4"
    assert medium_on(Path("/data/x"), (ROOT, disk, waiting)).file_system == "autofs"


@pytest.mark.parametrize(
    ("upper", "medium"),
    [
        (None, Medium(Kind.LOCAL, "overlay", Path("/"))),
        (Path("/"), Medium(Kind.LOCAL, "overlay", Path("/"))),
        (Path("/run/upper"), Medium(Kind.MEMORY, "tmpfs", Path("/run"))),
        (Path("/home/upper"), Medium(Kind.LOCAL, "xfs", Path("/home"))),
    ],
)
def test_an_overlay_lasts_as_its_upper_folder_does_i51(upper: Path | None, medium: Medium) -> None:
    overlay = Mount(Path("/"), "overlay", "overlay", upper)

    assert medium_on(Path("/srv/state"), (overlay, SCRATCH, HOME)) == medium


def test_a_folder_in_memory_is_refused_in_one_line_i51(folder_in_memory: Path) -> None:
    with pytest.raises(NotLasting) as refused:
        require_lasting(folder_in_memory / "not" / "there" / "yet")

    (line,) = str(refused.value).splitlines()
    assert line.startswith(
        f"{folder_in_memory}/not/there/yet: found a file system in memory (tmpfs, mounted at"
        " /dev/shm); wanted a local disk with one of apfs, "
    )


def test_a_link_into_memory_is_refused_i51(tmp_path: Path, folder_in_memory: Path) -> None:
    link = tmp_path / "state"
    link.symlink_to(folder_in_memory)

    with pytest.raises(NotLasting, match=r"state/trading_state\.db: found a file system in memory"):
        require_lasting(link / "trading_state.db")


def test_the_disk_of_the_project_is_accepted() -> None:
    here = Path(__file__)
    if medium_of(here).kind is not Kind.LOCAL:
        pytest.skip(f"the project itself is on {medium_of(here)}")

    assert require_lasting(here / "not" / "there" / "yet") == medium_of(here)
