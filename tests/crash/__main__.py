"""`python -m tests.crash`: see `campaign`."""

import sys

from tests.crash.campaign import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
