"""What writers of bots test with: virtual time, probes, faults on demand, messages ready to send.

See `docs/testing-a-bot.md` for a complete test.
"""

from hydra.testkit.kit import Kit
from hydra.testkit.probe import Probe

__all__ = ["Kit", "Probe"]
