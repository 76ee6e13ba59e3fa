"""The ledger and the disk below it fail."""

from tests.docs.faults.catalogue import FaultSection

LEDGER_AND_DISK = FaultSection("The ledger and the disk", ())
