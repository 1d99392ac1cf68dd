"""`python -m nayer …` and `nayer …`; see `cli.main`."""

import os
import sys

# libgomp reads this once, at the first import of torch. By default its threads spin for long while they wait: a step is
# then twenty times slower if other programs run. Without any spinning, an idle machine loses a quarter of its speed.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

from nayer.common.interrupts import SilentInterrupts

with SilentInterrupts():
    from collections.abc import Sequence

    from nayer.cli.main import main
    from nayer.cli.streams import prepare


def command(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line of this process, and returns its exit code: what `nayer` on the PATH calls."""
    prepare()
    return main(arguments)


if __name__ == "__main__":
    sys.exit(command())
