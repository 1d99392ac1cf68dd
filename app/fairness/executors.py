"""The thread pools of the process, one for each kind of work."""

from __future__ import annotations

from app.fairness.fair_executor import FairExecutor


class Executors:
    """Each pool has its own bounds, so that work of minutes does not hold up work of a second."""

    def __init__(self) -> None:
        # Python that keeps a core busy for up to some seconds. Two, so that one address leaves one free for the others.
        self.work = FairExecutor("requests", workers=2, waiting=128, each=16)
        # The text encoder, and UMAP, which must not run twice at once: half a minute at first, then a second.
        self.encoder = FairExecutor("lists of names", workers=1, waiting=32, each=4)
        self.umap = FairExecutor("maps", workers=1, waiting=64, each=8)
        # Threads that wait for a run to answer between two events, or for the disk: up to half a minute.
        self.asking = FairExecutor("commands", workers=8, waiting=128, each=8)
        # Single images that people draw: a few ms each, between two events of a run. A class draws behind one address.
        self.trying = FairExecutor("images to try", workers=4, waiting=128, each=32)
