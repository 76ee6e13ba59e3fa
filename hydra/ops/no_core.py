"""No core file of this process: it would have the keys in it, in plain."""

import resource


def write_no_core() -> None:
    """From now on, whatever crashes it. What it starts inherits that."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))
