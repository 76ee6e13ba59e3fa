"""A planted bug: one edit of one module of the product, which breaks an invariant.

The edit is made when the module is imported, in the processes of one run of tests (`site`). The
files of the product are never touched.
"""

from hashlib import sha256
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[2]


class Plant(msgspec.Struct, frozen=True):
    """What somebody could have written: `new` where `module` has `old`, once.

    `bug` says in a sentence what the engine does then. It names the plant.
    """

    bug: str
    invariant: str
    module: str
    old: str
    new: str

    @property
    def digest(self) -> str:
        """Of the edit: what was found out of another one says nothing of this one."""
        return sha256("\0".join((self.module, self.old, self.new)).encode()).hexdigest()[:12]

    @property
    def file(self) -> Path:
        """Where the module is."""
        return ROOT.joinpath(*self.module.split(".")).with_suffix(".py")

    def source(self) -> str:
        """The module with the bug in it.

        Raises `NotPlantable` if `old` is not there exactly once: the module has changed since.
        """
        healthy = self.file.read_text(encoding="utf-8")
        if healthy.count(self.old) != 1:
            raise NotPlantable(f"{self.bug}: {healthy.count(self.old)} times in {self.module}")
        return healthy.replace(self.old, self.new)


class NotPlantable(Exception):
    """What the bug replaces is not there once: write the plant anew for what there is by now."""
