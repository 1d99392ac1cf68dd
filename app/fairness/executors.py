"""The thread pools and worker processes of the page, one for each kind of work."""

from __future__ import annotations

from app.fairness.fair_executor import FairExecutor
from app.support.worker_process import WorkerProcess


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
        # The settings of a run, which are rehearsed before it may start: Python that keeps a core busy for a third of a
        # second where sizes are new. A class presses Play behind one address.
        self.checking = FairExecutor("settings to check", workers=2, waiting=256, each=32)
        # A student as ONNX: seconds, or minutes for a wide one. It has its own process too, so that sheets do not wait.
        self.converting = FairExecutor("ONNX files", workers=1, waiting=32, each=4)
        # Single images that people draw: a few ms each, between two events of a run. A class draws behind one address.
        self.trying = FairExecutor("images to try", workers=4, waiting=128, each=32)
        # These threads ask them. UMAP takes 0.5 GB. It starts in half a minute, or in several minutes when the
        # cores are busy. So it may take long, and it stays idle longer before it ends.
        self.drawing = WorkerProcess("drawing", longest=180.0, idle=60.0)
        self.exporting = WorkerProcess("an ONNX file", longest=180.0, idle=60.0)
        self.mapping = WorkerProcess("a map by UMAP", longest=1800.0, idle=600.0)

    def tidy(self) -> None:
        """Ends the processes that had no call for a while. Never waits for a call."""
        self.drawing.tidy()
        self.exporting.tidy()
        self.mapping.tidy()

    def close(self) -> None:
        """Ends the processes and all waiting calls."""
        self.drawing.close()
        self.exporting.close()
        self.mapping.close()
