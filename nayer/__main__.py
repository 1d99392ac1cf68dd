"""`python -m nayer …`; see `cli`."""

import os
import sys

# Read once, when torch is first imported: threads that spin while they wait stall whatever runs beside them.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from nayer.cli import main

if __name__ == "__main__":
    sys.exit(main())
