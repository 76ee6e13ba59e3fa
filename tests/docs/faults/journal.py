"""The journal is damaged, full, slow or gone."""

from tests.docs.faults.catalogue import FaultSection

JOURNAL = FaultSection("The journal", ())
