"""`python -m nayer …`; see `cli.main`."""

import os
import sys

# Read once, when torch is first imported. Threads that wait by spinning for long (libgomp's default) make a step twenty
# times slower where something else runs; never spinning costs a quarter of the speed where nothing does.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

from nayer.cli.main import main
from nayer.cli.streams import prepare

if __name__ == "__main__":
    prepare()
    sys.exit(main())
