"""The pictures of an arm that its viewers fetch beside the updates: each is encoded once."""

from __future__ import annotations

from collections import deque

from app.run_state.model import View
from app.run_state.reducer import ROWS
from app.support.images import Pixels, jpeg

PREVIEWS = 6  # strips of generator steps that are kept, for viewers a little behind


class Frames:
    """JPEG strips by the `seq` of the row or of the generator step that they show."""

    def __init__(self) -> None:
        self._kept: dict[int, bytes] = {}  # the oldest first
        # Rows whose strips are kept: as many again as are on show, for browsers that fetch them a little late.
        self._rows: deque[int] = deque(maxlen=2 * ROWS)

    def get(self, seq: int) -> bytes | None:
        """The strip of that number, None when it is unknown or gone."""
        return self._kept.get(seq)

    def take(self, view: View, since: int) -> None:
        """Encodes what is new in a view after `since`; the newest strips stay."""
        pictures: list[tuple[int, Pixels]] = [(row.seq, row.images) for row in view.rows if row.seq > since]
        rows = [seq for seq, _ in pictures]
        if view.making is not None and len(view.making.images) and view.making.seq > since:
            pictures.append((view.making.seq, view.making.images))
        for seq, images in pictures:
            self._kept[seq] = jpeg(images)
        self._rows.extend(rows)
        for seq in [seq for seq in self._kept if seq not in self._rows][:-PREVIEWS]:
            del self._kept[seq]
