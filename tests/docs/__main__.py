"""`python -m tests.docs`: write the pages that are made from the code."""

import sys

from tests.docs.pages import ROOT, pages

for path, text in pages().items():
    (ROOT / path).write_text(text, encoding="utf-8")
    sys.stdout.write(f"wrote {path}\n")
