"""Whatever is wrong in `config/` is refused, with its file, line and key."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hydra.settings import SettingsError, SettingsRefused, VenueName, load_settings
from tests.settings.corpus import EDITS, Edit
from tests.settings.fine import BOTS, ENGINE, load, no_such_strategy, refusals, spoilt

SHIPPED = Path(__file__).resolve().parents[2] / "config"


@pytest.mark.parametrize("edit", [pytest.param(edit, id=edit.name) for edit in EDITS])
def test_a_bad_edit_is_refused_with_these_lines_i78_i80(tmp_path: Path, edit: Edit) -> None:
    assert ("\n" + ENGINE + BOTS).count("\n" + edit.old) == 1

    printed = refusals(tmp_path, engine=edit.of(ENGINE), bots=edit.of(BOTS))

    assert edit.printed
    assert printed == list(edit.printed)


def test_all_errors_of_both_files_are_told_at_once_in_the_order_of_their_lines_i78(
    tmp_path: Path,
) -> None:
    engine = spoilt(ENGINE, "fail_closed: true", "fail_closed: false")
    engine = spoilt(engine, "  max_orders_per_minute: 10\n", "")
    engine = spoilt(engine, "api_failure_window_seconds: 60", "api_failure_window_seconds: &a 0")
    bots = spoilt(BOTS, "bot_id: mom_TSLA", "bot_id: mom_AAPL")
    bots = spoilt(bots, "default_notional_usd: 2000", "default_notional_usd: 30000")
    bots = spoilt(bots, "stop_loss_pct: 0.60", "stop_los_pct: 0.60")
    bots = spoilt(bots, "mode: placeholder_momentum_v1", "mode: unheard_of")
    bots = spoilt(bots, "delta_max: 0.65", "delta_max: *b")

    def only_the_known(mode: str, _params: object) -> str | None:
        return "no such strategy" if mode == "unheard_of" else None

    assert refusals(tmp_path, engine=engine, bots=bots, signal_check=only_the_known) == [
        "settings.yaml:8: safety.fail_closed: found false, wanted true; Hydra always fails closed",
        (
            "settings.yaml:14: risk.max_orders_per_minute: "
            "missing, wanted a whole number from 1 to 100 (entries a minute)"
        ),
        (
            "settings.yaml:54: health.api_failure_window_seconds: "
            "anchors (&) are not allowed; write the value out"
        ),
        (
            "settings.yaml:54: health.api_failure_window_seconds: "
            "found '0', wanted a whole number from 1 to 3600 (seconds); zero never means unlimited"
        ),
        "bots.yaml:39: momentum_bots[1].bot_id: 'mom_AAPL' is the name of momentum_bots[0] already",
        (
            "bots.yaml:47: momentum_bots[1].execution.default_notional_usd: "
            "found '30000', wanted at most risk.max_order_notional_usd (25000)"
        ),
        (
            "bots.yaml:52: momentum_bots[1].exits.stop_los_pct: "
            "no such setting; did you mean stop_loss_pct?"
        ),
        "bots.yaml:55: momentum_bots[1].signal: no such strategy",
        (
            "bots.yaml:78: optionsbot.chain_rules.delta_max: "
            "aliases (*) are not allowed; write the value out"
        ),
    ]


def test_a_refusal_carries_each_error_in_its_parts_i78(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused) as refused:
        load(tmp_path, engine=spoilt(ENGINE, "fail_closed: true", "fail_closed: maybe"))

    assert refused.value.errors == (
        SettingsError(
            file=tmp_path / "settings.yaml",
            line=8,
            key="safety.fail_closed",
            message="found 'maybe', wanted true or false",
        ),
    )


def _limits(file: str, text: str) -> Iterator[tuple[str, str, str]]:
    """File, key and line of everything in a fine text that is a number."""
    lines = text.splitlines()

    def below(key: str, node: yaml.Node | None) -> Iterator[tuple[str, str, str]]:
        match node:
            case yaml.MappingNode():
                for name, value in node.value:
                    yield from below(f"{key}.{name.value}" if key else name.value, value)
            case yaml.SequenceNode():
                for number, item in enumerate(node.value):
                    yield from below(f"{key}[{number}]", item)
            case yaml.ScalarNode() if ".params." not in key:
                if node.value.replace(".", "").isdigit():
                    yield file, key, lines[node.start_mark.line]

    return below("", yaml.compose(text))


LIMITS = [*_limits("engine", ENGINE), *_limits("bots", BOTS)]

NO_LIMITS = ["", "0", "0.0", "0.00", "-0", "null", "~", '""', "[]", "{}", "none", "inf", "-1"]


def test_all_limits_of_the_configuration_are_tried_i40() -> None:
    assert len(LIMITS) == 71
    assert ("bots", "momentum_bots[1].exits.stop_loss_pct", "      stop_loss_pct: 0.60") in LIMITS
    assert ("engine", "guards.exposure.gap_factor", "    gap_factor: 1.6") in LIMITS


@pytest.mark.parametrize(("file", "key", "line"), LIMITS, ids=[key for _, key, _ in LIMITS])
def test_a_limit_that_is_not_there_is_refused_by_name_i40(
    tmp_path: Path, file: str, key: str, line: str
) -> None:
    texts = {"engine": ENGINE, "bots": BOTS}
    texts[file] = spoilt(texts[file], f"{line}\n", "")

    (printed,) = refusals(tmp_path, engine=texts["engine"], bots=texts["bots"])

    section, _, name = key.rpartition(".")
    assert f": {key}: missing, wanted " in printed or (
        f": {section}: found no value" in printed and name in printed
    )


@given(
    spoils=st.dictionaries(
        st.sampled_from(LIMITS), st.sampled_from(NO_LIMITS), min_size=1, max_size=len(LIMITS)
    )
)
def test_limits_that_are_zero_or_nothing_are_refused_by_name_and_no_other_i40(
    tmp_path_factory: pytest.TempPathFactory, spoils: dict[tuple[str, str, str], str]
) -> None:
    texts = {"engine": ENGINE, "bots": BOTS}
    for (file, _, line), value in spoils.items():
        texts[file] = spoilt(texts[file], f"{line}\n", f"{line.split(':')[0]}: {value}\n")

    printed = refusals(tmp_path_factory.getbasetemp(), engine=texts["engine"], bots=texts["bots"])

    assert sorted(line.split(": ")[1] for line in printed) == sorted(key for _, key, _ in spoils)


LIVE_FAULTS = [
    (
        "allow_budget_fallback: false",
        "allow_budget_fallback: true",
        (
            "settings.yaml:9: safety.allow_budget_fallback: "
            "found true, wanted false; no trade without a budget on live"
        ),
    ),
    (
        "resume: operator",
        "resume: preflight",
        (
            "settings.yaml:11: safety.resume: found 'preflight', wanted operator; "
            "on live a person resumes"
        ),
    ),
    *(
        (
            f"{condition}_halt: true",
            f"{condition}_halt: false",
            (
                f"bots.yaml:{line}: exitbot.kill_conditions.{condition}_halt: "
                "found false, wanted true; on live every kill condition halts"
            ),
        )
        for line, condition in [
            (5, "api_failure"),
            (6, "data_stale"),
            (7, "max_daily_loss"),
            (8, "anomaly"),
        ]
    ),
]

FIT_FOR_LIVE = spoilt(ENGINE, "resume: preflight", "resume: operator")


@pytest.mark.parametrize(("old", "new", "printed"), LIVE_FAULTS)
def test_what_live_forbids_is_refused_there_and_fine_elsewhere_i82(
    tmp_path: Path, old: str, new: str, printed: str
) -> None:
    engine, bots = FIT_FOR_LIVE.replace(old, new), BOTS.replace(old, new)
    live_engine = spoilt(engine, "venue: embedded", "venue: live")

    assert refusals(tmp_path, engine=engine, bots=bots) == []
    assert refusals(tmp_path, engine=engine, bots=bots, venue=VenueName.PAPER) == []
    assert refusals(tmp_path, engine=engine, bots=bots, venue=VenueName.LIVE) == [printed]
    assert refusals(tmp_path, engine=live_engine, bots=bots) == [printed]


def test_the_venue_of_the_command_line_goes_before_the_one_in_the_file(tmp_path: Path) -> None:
    live = spoilt(FIT_FOR_LIVE, "venue: embedded", "venue: live")

    from_file = load(tmp_path, engine=live)
    from_command_line = load(tmp_path, engine=FIT_FOR_LIVE, venue=VenueName.LIVE)

    assert from_file.broker.venue is VenueName.LIVE
    assert from_command_line == from_file
    assert from_command_line.digest == from_file.digest


def test_each_strategy_and_its_parameters_are_checked_where_they_stand(tmp_path: Path) -> None:
    assert refusals(tmp_path, signal_check=no_such_strategy) == [
        (
            "bots.yaml:36: momentum_bots[0].signal: "
            "no strategy 'moving_average_cross', given {'fast_bars': 10, 'threshold_pct': 0.5}"
        ),
        "bots.yaml:55: momentum_bots[1].signal: no strategy 'placeholder_momentum_v1', given {}",
        (
            "bots.yaml:99: cryptobot.signal: "
            "no strategy 'placeholder_crypto_momo_v1', given {'lookback': '10'}"
        ),
    ]


def test_a_folder_without_the_files_is_refused_with_one_line_a_file_i78(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused) as refused:
        load_settings(tmp_path / "nowhere")

    assert str(refused.value).splitlines() == [
        f"{tmp_path}/nowhere/settings.yaml: no such file; it is needed",
        f"{tmp_path}/nowhere/bots.yaml: no such file; it is needed",
    ]


MODES = """
modes:
  selected: none
  step_down: false
  primary:
    {bar_minutes: 30, entry_minutes: 5, notional_pct: 100, max_trades_per_day: 6, bots_off: []}
  fallback:
    {bar_minutes: 60, entry_minutes: 5, notional_pct: 50, max_trades_per_day: 4, bots_off: []}
  conservative:
    {bar_minutes: 60, entry_minutes: 15, notional_pct: 25, max_trades_per_day: 2, bots_off: []}
"""
KNOWN = "crypto_core, mom_AAPL, mom_TSLA, opt_core, signal_bot"


def modes_with(**bots_off: str) -> str:
    """The fine bots, with this in the `bots_off` of some modes."""
    lines = MODES.splitlines()
    for mode, off in bots_off.items():
        at = lines.index(f"  {mode}:") + 1
        lines[at] = lines[at].replace("bots_off: []", f"bots_off: [{off}]")
    return BOTS + "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("mom_APPL", "; did you mean mom_AAPL?"),
        ("mom_aapl", "; did you mean mom_AAPL?"),
        ("mom_AAPL, opt-core", "; did you mean opt_core?"),
        ("nobody", ""),
    ],
)
def test_a_mode_that_names_a_bot_that_is_not_there_is_told_with_the_bots_that_are_i78(
    tmp_path: Path, written: str, hint: str
) -> None:
    """That it is wanted in the next mode too would be said of the slip, and be no help."""
    found = written.rpartition(", ")[2]

    (line,) = refusals(tmp_path, bots=modes_with(primary=written))

    assert line == (
        f"bots.yaml:107: modes.primary.bots_off: found {found!r}, wanted one of {KNOWN}{hint}"
    )


def test_each_mode_that_names_a_strange_bot_is_told_whatever_else_is_wrong_i78(
    tmp_path: Path,
) -> None:
    bots = modes_with(fallback="nobody", conservative="no_one, mom_AAPL")
    bots = spoilt(bots, "stop_loss_pct: 0.60", "stop_loss_pct: 0")

    printed = refusals(tmp_path, bots=bots)

    assert [line.partition(": found")[0] for line in printed] == [
        "bots.yaml:52: momentum_bots[1].exits.stop_loss_pct",
        "bots.yaml:109: modes.fallback.bots_off",
        "bots.yaml:111: modes.conservative.bots_off",
    ]


def test_no_bot_is_called_strange_where_a_bots_own_name_cannot_be_read_i78(tmp_path: Path) -> None:
    bots = spoilt(modes_with(conservative="mom_TSLA"), "bot_id: mom_TSLA", "bot_id: [mom_TSLA]")

    (line,) = refusals(tmp_path, bots=bots)

    assert line.startswith("bots.yaml:39: momentum_bots[1].bot_id: found a list, wanted a name")


def test_a_bot_that_is_off_in_a_bolder_mode_alone_is_told_i78(tmp_path: Path) -> None:
    assert refusals(tmp_path, bots=modes_with(primary="mom_AAPL")) == [
        "bots.yaml:108: modes.fallback: bots_off: 'mom_AAPL' is off in primary, wanted here too"
    ]
