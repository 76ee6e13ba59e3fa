"""How a process of Hydra ends. A service manager must not restart 10 to 15."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The contract of the design's section 8."""

    CLEAN = 0
    USAGE = 2
    CONFIGURATION_REFUSED = 10
    HELD_BY_ANOTHER = 11
    VERSION_FENCE = 12
    DURABILITY_REFUSED = 13
    PREFLIGHT_FAILED = 14
    PAPER_LIVE_MISMATCH = 15
    RESTART_ASKED = 16
    FAIL_CLOSED = 20
