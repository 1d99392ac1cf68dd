"""The reset strip as JSON."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

from app.support.images import jpeg

if TYPE_CHECKING:  # the core brings torch with it
    from nayer.distillation.redraw_preview import RedrawPreview, Redraws


def strips(made: Redraws) -> dict[str, Any]:
    """JSON-ready: both strips, and in one sentence how many different images they count for."""
    redrawn, held = (strip.diversity.vendi[made.label] for strip in (made.redrawn, made.held))
    count = len(made.redrawn.images)
    sentence = (
        f"With the {made.varied} re-drawn for each image, the teacher's features count {redrawn:.1f} different "
        f"images among {count}; without re-draws, {held:.1f}."
    )
    return {
        "label": made.label,
        "varied": made.varied,
        "count": count,
        "redrawn": _strip(made.redrawn),
        "held": _strip(made.held),
        "sentence": sentence,
    }


def _strip(strip: RedrawPreview) -> dict[str, Any]:
    sure = [round(float(value), 3) for value in strip.teacher_confidence]
    return {
        "picture": "data:image/jpeg;base64," + b64encode(jpeg(strip.images)).decode(),
        "teacher": list(zip(strip.teacher_labels.tolist(), sure, strict=True)),
    }
