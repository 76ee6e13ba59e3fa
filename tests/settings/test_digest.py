"""The digest names what the settings say, and nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.settings import Settings
from hydra.settings.section import ResumePolicy, Section
from tests.settings.fine import BOTS, ENGINE, load, spoilt

HOME = Path(__file__).resolve().parent.parent.parent


def test_the_digest_is_the_same_in_every_process_i81(tmp_path: Path) -> None:
    settings = load(tmp_path)
    program = (
        "import sys; from pathlib import Path; from hydra.settings import load_settings;"
        "print(load_settings(Path(sys.argv[1])).digest)"
    )

    digests = {
        subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)],
            cwd=HOME,
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout.strip()
        for seed in ("0", "1", "4294967295")
    }

    assert digests == {settings.digest}
    assert len(bytes.fromhex(settings.digest)) == 16


def test_comments_order_and_ways_of_writing_do_not_change_the_digest_i81(tmp_path: Path) -> None:
    sections = ENGINE.split("risk:\n")
    engine = f"# reordered\nrisk:\n{sections[1]}{sections[0]}"
    bots = spoilt(BOTS, "stop_loss_pct: 0.50", "stop_loss_pct: 0.5 # the same")
    bots = spoilt(bots, "trade_start: 09:36", "trade_start: '09:36'")
    bots = spoilt(
        bots, "{fast_bars: 10, threshold_pct: 0.5}", "{threshold_pct: 0.50, fast_bars: 10}"
    )

    other = load(tmp_path, engine=engine, bots=bots)

    assert other == load(tmp_path)
    assert other.digest == load(tmp_path).digest


def test_nothing_is_left_out_of_the_digest_i81(tmp_path: Path) -> None:
    settings = load(tmp_path)
    others = [("nothing", settings)]
    for name in type(settings).model_fields:
        section = getattr(settings, name)
        others.append((name, settings.model_copy(update={name: "another"})))
        if isinstance(section, Section):
            others += [
                (f"{name}.{key}", settings.model_copy(update={name: changed}))
                for key in type(section).model_fields
                for changed in [section.model_copy(update={key: "another"})]
            ]

    by_digest = {other.digest: name for name, other in others}

    assert [name for name, _ in others if name not in by_digest.values()] == []
    assert {"risk", "guards", "guards.pace", "momentum_bots"} <= set(by_digest.values())


CHANGES = [
    ("cooloff_minutes: 380", "cooloff_minutes: 381"),
    ("stop_loss_pct: 0.50", "stop_loss_pct: 0.5001"),
    ("bot_id: mom_TSLA", "bot_id: mom_tsla"),
    ("enabled: false # mom_TSLA", "enabled: true"),
    ("trade_end: 12:31", "trade_end: 12:32"),
    ("tickers: [SPY, QQQ]", "tickers: [QQQ, SPY]"),
    ("threshold_pct: 0.5}", "threshold_pct: '0.5'}"),
    ("fast_bars: 10,", "fast_bars: 10.0,"),
    ('lookback: "10"', "lookback: 10"),
    ("tif: gtc", "tif: ioc"),
]


@given(st.sets(st.sampled_from(CHANGES)), st.sets(st.sampled_from(CHANGES)))
def test_settings_have_the_same_digest_exactly_when_they_say_the_same_i81(
    tmp_path_factory: pytest.TempPathFactory,
    some: set[tuple[str, str]],
    others: set[tuple[str, str]],
) -> None:
    def changed(changes: set[tuple[str, str]]) -> Settings:
        bots = BOTS
        for old, new in changes:
            bots = spoilt(bots, old, new)
        return load(tmp_path_factory.getbasetemp(), bots=bots)

    assert (changed(some).digest == changed(others).digest) == (some == others)


def test_a_copy_with_other_sections_has_a_name_of_its_own_i81(tmp_path: Path) -> None:
    settings = load(tmp_path)
    named, traded = settings.digest, settings.traded_as  # as any start asks for them

    safety = settings.safety.model_copy(update={"resume": ResumePolicy.OPERATOR})
    other = settings.model_copy(update={"safety": safety})

    assert (settings.digest, settings.traded_as) == (named, traded)
    assert named != other.digest
    assert traded != other.traded_as
    assert settings.model_copy().digest == named
