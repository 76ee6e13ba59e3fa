"""Which code this is: a digest of what is installed, and the commit where it is known."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from hydra import __version__

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("actors", "hydra", "messages", "supervisors")
DIGEST_BYTES = 8


class CodeVersion(msgspec.Struct, frozen=True, kw_only=True):
    """`code` is a digest of all modules: one that was changed is another code, whatever its
    version says. `commit` is "" where there is no checkout; it does not say whether it was clean.
    """

    version: str
    code: str
    commit: str


def code_version(root: Path = ROOT) -> CodeVersion:
    """Of the packages below `root`."""
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode())
            digest.update(content)
    return CodeVersion(version=__version__, code=digest.hexdigest(), commit=_commit(root / ".git"))


def _commit(git: Path) -> str:
    """What HEAD names, read from the files: there may be no git on this machine."""
    try:
        head = (git / "HEAD").read_text(encoding="ascii").strip()
        if not head.startswith("ref: "):
            return head
        name = head.removeprefix("ref: ")
        if (git / name).is_file():
            return (git / name).read_text(encoding="ascii").strip()
        packed = (git / "packed-refs").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    return next((line.split()[0] for line in packed if line.endswith(f" {name}")), "")
