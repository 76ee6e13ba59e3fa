"""Processes that are forked from one that has everything imported: what a start costs otherwise.

There is one such process in a test run, so the names of all that is to be forked are here.
"""

import multiprocessing

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        "tests.crash.installed",
        "tests.crash.venue_client",
        # What the installed program reads when it is told what to do.
        "hydra.cli",
        "hydra.main",
        "hydra.ops.generated_market",
        "hydra.ops.places",
        "hydra.ops.run",
        "hydra.plugins",
        "hydra.settings.configuration",
        "hydra.settings.mode",
    ]
)
