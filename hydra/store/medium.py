"""What disk a folder is on: a ledger on a network or in memory keeps no promise (I51)."""

from collections.abc import Sequence
from enum import Enum
from pathlib import Path

import msgspec

LOCAL_DISKS = (
    "apfs",
    "bcachefs",
    "btrfs",
    "ext2",
    "ext3",
    "ext4",
    "f2fs",
    "hfs",
    "jfs",
    "nilfs2",
    "overlay",
    "ufs",
    "xfs",
    "zfs",
)
"""File systems on which a synced write outlives the power, and a lock is one for everybody."""

_NETWORK = (
    "9p", "acfs", "afpfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "glusterfs", "gpfs",
    "lustre", "ncpfs", "nfs", "nfs3", "nfs4", "ocfs2", "orangefs", "prl_fs", "smb", "smb2", "smb3",
    "smbfs", "sshfs", "v9fs", "vboxsf", "virtiofs", "vmhgfs", "webdav",
)  # fmt: skip
_MEMORY = ("devtmpfs", "mfs", "ramfs", "rootfs", "tmpfs")
_MEMORY_DEVICES = ("/dev/ram", "/dev/zram")
_PROGRAMS = ("fuse", "macfuse", "osxfuse")


class Kind(Enum):
    """What a file system makes of what it is given."""

    LOCAL = "local disk"
    NETWORK = "network file system"
    """Another machine's: locks and syncs mean what that machine makes of them."""
    MEMORY = "file system in memory"
    """Gone with the power."""
    PROGRAM = "file system made by a program"
    """Its locks and syncs are as good as that program, which nobody here knows."""
    UNKNOWN = "unknown file system"


class Mount(msgspec.Struct, frozen=True):
    """One line of the system's table of mounts, reduced to what matters here.

    `upper` is the folder in which an overlay keeps what is written, if it is to be seen from here.
    """

    point: Path
    file_system: str
    device: str = ""
    upper: Path | None = None


class Medium(msgspec.Struct, frozen=True):
    """What a path is on."""

    kind: Kind
    file_system: str
    mount_point: Path | None


class NotLasting(Exception):
    """The folder is on no local disk; a power cut, or another machine, could take the ledger."""


def require_lasting(path: Path) -> Medium:
    """Refuse a path that is not on a local disk; gives what it is on. Raises `NotLasting`."""
    medium = medium_of(path)
    if medium.kind is not Kind.LOCAL:
        raise NotLasting(not_lasting_line(path, medium))
    return medium


def not_lasting_line(path: Path, medium: Medium) -> str:
    """What is wrong with this medium, in one line; also for those who only warn."""
    at = "" if medium.mount_point is None else f", mounted at {medium.mount_point}"
    article = "an" if medium.kind is Kind.UNKNOWN else "a"
    return (
        f"{path}: found {article} {medium.kind.value} ({medium.file_system}{at}); wanted a local"
        f" disk with one of {', '.join(LOCAL_DISKS)}; move the folder to one, or name another with"
        " --state-dir and --log-dir"
    )


def medium_of(path: Path) -> Medium:
    """What `path`, or the nearest folder above it that is there, is on."""
    # Imported here: it takes longer than the rest of this module together.
    import psutil

    try:
        partitions = psutil.disk_partitions(all=True)
    except OSError as error:
        return Medium(Kind.UNKNOWN, f"the table of mounts cannot be read: {error}", None)
    mounts = [
        Mount(Path(p.mountpoint), p.fstype, p.device, _upper_folder(p.fstype, p.opts))
        for p in partitions
    ]
    return medium_on(path.resolve(), mounts)


def medium_on(path: Path, mounts: Sequence[Mount]) -> Medium:
    """What `path` (absolute, links resolved) is on, with this table of mounts.

    Of an overlay it is what its upper folder is on.
    """
    mount = _mount_of(path, mounts)
    passed: list[Mount] = []
    while mount is not None and mount.upper is not None and mount not in passed:
        passed.append(mount)
        mount = _mount_of(mount.upper, mounts)
    if mount is None:
        return Medium(Kind.UNKNOWN, "no file system is mounted there", None)
    return Medium(classified(mount.file_system, mount.device), mount.file_system, mount.point)


def classified(file_system: str, device: str = "") -> Kind:
    """The kind of a file system of this name, on this device. What nobody knows is `UNKNOWN`."""
    name = file_system.lower()
    base, _, program = name.partition(".")
    if name in _MEMORY or device.startswith(_MEMORY_DEVICES):
        return Kind.MEMORY
    if name in _NETWORK or program in _NETWORK:
        return Kind.NETWORK
    if base in _PROGRAMS:
        return Kind.PROGRAM
    return Kind.LOCAL if name in LOCAL_DISKS else Kind.UNKNOWN


def _mount_of(path: Path, mounts: Sequence[Mount]) -> Mount | None:
    """The longest mount point above; of several at one place the last covers the others."""
    above = [mount for mount in mounts if path.is_relative_to(mount.point)]
    return max(reversed(above), key=lambda mount: len(mount.point.parts), default=None)


def _upper_folder(file_system: str, options: str) -> Path | None:
    if file_system != "overlay":
        return None
    for option in options.split(","):
        name, _, value = option.partition("=")
        if name == "upperdir" and Path(value).is_dir():
            return Path(value).resolve()
    return None
