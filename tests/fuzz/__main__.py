"""`make fuzz`: every target for a while, each in a process of its own, with one line of result."""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.coverage import Coverage, probed
from tests.fuzz.engine import Fuzzing, Report
from tests.fuzz.kept import kept_inputs
from tests.fuzz.targets import NAMES, target_named

FAILURES = Path("fuzz-failures")


def main(arguments: list[str]) -> int:
    """Exit code 0 if nothing was found, 1 if something was, 3 if an input never ended."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[[], *NAMES], metavar="target")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each target")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--failures", type=Path, default=FAILURES, help="where findings go")
    chosen = parser.parse_args(arguments)
    names = chosen.targets or NAMES
    if len(names) == 1:
        report = fuzzed(names[0], chosen.seconds, chosen.seed, chosen.failures)
        _say(str(report))
        for finding in report.findings:
            _say(f"  {finding.what} ({finding.place}), {len(finding.input)} bytes")
        return 1 if report.findings else 0
    options = [f"--seconds={chosen.seconds}", f"--seed={chosen.seed}"]
    options.append(f"--failures={chosen.failures}")
    codes = [
        subprocess.run([sys.executable, "-m", "tests.fuzz", name, *options], check=False).returncode
        for name in names
    ]
    return max(map(abs, codes))


def fuzzed(name: str, seconds: float, seed: int, failures: Path | None) -> Report:
    """One target in this process, which must not have imported anything of the product."""
    coverage = Coverage()
    probed(coverage)
    with tempfile.TemporaryDirectory() as folder, target_named(name, Path(folder)) as target:
        kept = kept_inputs(name).values()
        fuzzing = Fuzzing(target, kept, coverage, seed=seed, failures=failures)
        fuzzing.run(seconds)
        fuzzing.look_for_growth()
        return fuzzing.report


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
