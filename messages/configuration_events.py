"""What is written down of the configuration while an engine runs: a part of the vocabulary."""

from messages.event_kinds import CONTROL, GUARDIAN, MAIN, RELOAD, EventKind

_DIGEST = "32 hex digits that name the settings"
_CHANGES = "each setting that differs: key: old -> new (tighter, looser or other)"

CONFIGURATION_EVENTS: tuple[EventKind, ...] = (
    EventKind(
        "terms_taken",
        GUARDIAN,
        "Orders are judged by another configuration from here on.",
        {
            "configuration": _DIGEST,
            "closed": "the causes that the configuration alone holds against entries",
        },
    ),
    EventKind(
        "config_reloaded",
        RELOAD,
        "A changed configuration is in force, whole; every change of it is tighter.",
        {
            "configuration": _DIGEST,
            "before": "the digest of what was in force until then",
            "what": "what had changed: files or strategy mode",
            "mode": "the strategy mode that is followed",
            "why": "what was last said of the strategy mode",
            "changes": _CHANGES,
        },
    ),
    EventKind(
        "config_refused",
        RELOAD,
        "The files of the settings are not fit: what was in force still is, entries are closed.",
        {"configuration": "the digest of what is in force", "errors": "one line each"},
    ),
    EventKind(
        "config_pending",
        RELOAD,
        "The files of the settings, or the strategy mode, want what only a restart brings.",
        {
            "configuration": "the digest of what is wanted",
            "changes": _CHANGES,
            "reasons": "why it is not in force, a line for each change",
            "restart_will_do": "false: something is looser, and a person has to want it",
        },
    ),
    EventKind(
        "config_not_taken",
        RELOAD,
        "Somebody did not take up a tighter configuration; it is tried again.",
        {"reason": "who, and why"},
    ),
    EventKind(
        "restart_asked",
        RELOAD,
        "The engine stops with exit code 16, to be started again with what is pending.",
        {"reason": "the first of what is pending"},
    ),
    EventKind(
        "config_loosened",
        MAIN,
        "This start has settings that are looser than those that were in force last.",
        {
            "configuration": _DIGEST,
            "changes": "the looser ones",
            "reason": "an operator's, given with `config accept`; null: none was needed",
            "by": "who gave it, or null",
        },
    ),
    EventKind(
        "live_judged",
        MAIN,
        "A start on live: on what ground real money is traded, or why nothing is entered.",
        {
            "profile": "live.profile: full, micro or off",
            "open": "false: it runs for what is held alone, and enters nothing",
            "ground": "micro, shown on paper, or accepted; null: there is none",
            "reason": "an operator's, given with `config accept-live`; null: none was needed",
            "by": "who gave it, or null",
            "detail": "what was found and what is wanted, in words",
        },
    ),
    EventKind(
        "strategy_mode",
        RELOAD,
        "Another strategy mode is to be followed, or a kill event has been taken up.",
        {
            "mode": "none, primary, fallback, conservative or flat",
            "before": "the one until then",
            "reason": "the operator's, or the kill events",
            "by": "who chose it; engine: a step down",
        },
    ),
    EventKind(
        "control_mode",
        CONTROL,
        "An operator chose a strategy mode.",
        {"mode": "which", "reason": "the operator's", "by": "who asked"},
    ),
)
