"""The machine that the figures are of: without it they mean nothing to anybody else."""

import os
import platform
import sys

import msgspec

LOAD_PER_CORE_MAX = 0.5


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Cores that this process may use, its Python, and how busy the machine is already."""

    cores: int
    python: str
    system: str
    load: float
    """Processes that ran or waited to run, averaged over the last minute."""

    @property
    def warning(self) -> str | None:
        """Why the figures may be worse than the machine is; None if it is quiet."""
        if self.load <= LOAD_PER_CORE_MAX * self.cores:
            return None
        return (
            f"the machine is busy: load {self.load:.2f} on {self.cores} cores, wanted at most "
            f"{LOAD_PER_CORE_MAX:g} a core; stop other work and repeat"
        )

    def __str__(self) -> str:
        return f"{self.cores} cores, {self.python}, {self.system}, load {self.load:.2f}"


def this_machine() -> Machine:
    """As it is now."""
    affinity = getattr(os, "sched_getaffinity", None)  # macOS has none
    return Machine(
        cores=len(affinity(0)) if affinity is not None else os.cpu_count() or 1,
        python=f"{platform.python_implementation()} {platform.python_version()}",
        system=f"{sys.platform} {platform.machine()}",
        load=os.getloadavg()[0],
    )
