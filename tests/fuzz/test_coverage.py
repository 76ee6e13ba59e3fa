"""The probes: which branch was reached is known, and the code does what it does without them."""

import json
import subprocess
import sys

PROGRAM = """
import json
from tests.fuzz.coverage import Coverage, probed
coverage = Coverage()
probed(coverage)
from hydra.trading.kill_switch import Source, Written, kill_cause
assert coverage.probes > 20
assert kill_cause.__doc__.startswith("What was seen")
said = []
for content in (b"close_only", b"close_only", b"halt_all", b"x", b"y"):
    coverage.begin()
    cause = kill_cause(Source.STATE_FILE, "there", Written(content), 1)
    said.append((cause.state.value, coverage.is_new()))
print(json.dumps(said))
"""


def test_only_what_reaches_another_branch_is_new() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=50, check=False
    )

    assert ended.stderr == ""
    assert json.loads(ended.stdout) == [
        ["close_only", True],
        ["close_only", False],
        ["halted", True],
        ["halted", True],
        ["halted", False],
    ]
