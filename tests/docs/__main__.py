"""`python -m tests.docs`: write the pages that are made from the code, and README's transcript.

The transcript plays a session for half a minute; `--pages` leaves it as it is.
"""

import sys

from tests.docs.pages import PAGES, ROOT
from tests.docs.transcript import write_transcript

for path, page in PAGES.items():
    (ROOT / path).write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {path}\n")
if "--pages" not in sys.argv:  # which takes no time
    write_transcript()
    sys.stdout.write("wrote the transcript in README.md\n")
