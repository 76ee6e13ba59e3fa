"""`recorder` in `settings.yaml`: whether a session's messages are recorded, and up to what size.

The whole section may be left out; then what is built in holds, which is also what is shipped.
"""

from typing import Annotated

from hydra.settings.kinds import WholeNumber
from hydra.settings.safer import Safer
from hydra.settings.section import OnOff, Section


class RecorderSettings(Section):
    """The flight recording of each session, from which it can be replayed message by message."""

    # A recording begins with its session, so neither is changed while running.
    enabled: Annotated[OnOff, Safer.NEITHER]
    max_mb_per_session: Annotated[int, WholeNumber(1, 100_000, "MiB"), Safer.NEITHER]


RECORDED = RecorderSettings(enabled=True, max_mb_per_session=256)
"""What holds without the section: some ten million messages."""
