"""`python -m nayer …`; see `cli`."""

import sys

from nayer.cli import main

if __name__ == "__main__":
    sys.exit(main())
