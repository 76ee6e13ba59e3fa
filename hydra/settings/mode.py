"""Whether all that names a mode names the same one: paper and live cannot be mixed up."""

from hydra.settings.secrets import LIVE_WORDS, Secrets
from hydra.settings.section import VenueName


def mode_disagreement(venue: VenueName, secrets: Secrets, live_switch: bool) -> str | None:
    """What contradicts the venue that is meant, and what to do, or None.

    Embedded has no money to lose, so nothing contradicts it. Live needs two words besides its
    name: ALPACA_PAPER=false and HYDRA_LIVE. Each of them refuses paper.
    """
    if venue is VenueName.EMBEDDED:
        return None
    wanted_paper, wanted_live = venue is VenueName.PAPER, venue is VenueName.LIVE
    wrong = []
    if secrets.alpaca_paper is not wanted_paper:
        wrong.append(f"ALPACA_PAPER is {_said(secrets.alpaca_paper)}, wanted {_said(wanted_paper)}")
    if live_switch is not wanted_live:
        wrong.append(
            f"HYDRA_LIVE is not set, wanted {LIVE_WORDS}"
            if wanted_live
            else f"HYDRA_LIVE is {LIVE_WORDS}, wanted no such line"
        )
    if not wrong:
        return None
    return f"venue {venue.value}: {'; '.join(wrong)}; correct .env, or use another --venue"


def lacking(venue: VenueName, secrets: Secrets) -> tuple[str, ...]:
    """What the venue needs besides and does not have: one line each, with what to do."""
    if venue is VenueName.EMBEDDED:
        return ()
    keys = {"ALPACA_KEY": secrets.alpaca_key, "ALPACA_SECRET": secrets.alpaca_secret}
    lines = [
        f"venue {venue.value}: {name} is not set, or still as in .env.example; "
        "write your key into .env (install -m 600 .env.example .env)"
        for name, key in keys.items()
        if key is None
    ]
    if secrets.network_disabled:
        lines.append(
            f"venue {venue.value}: LIVE_DISABLE_NETWORK refuses every connection; "
            "set it to 0 in .env to reach Alpaca"
        )
    return tuple(lines)


def _said(paper: bool | None) -> str:
    match paper:
        case None:
            return "not set"
        case True:
            return "true"
        case False:
            return "false"
