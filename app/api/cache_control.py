"""How long a browser may keep an answer: the headers of each case."""

from __future__ import annotations

from typing import Final

NOT_KEPT: Final = {"Cache-Control": "no-store"}
AN_HOUR_FOR_ONE: Final = {"Cache-Control": "private, max-age=3600"}  # not in a cache that visitors share
AN_HOUR: Final = {"Cache-Control": "public, max-age=3600"}
A_DAY: Final = {"Cache-Control": "public, max-age=86400"}
FOREVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}  # its address changes with its content
