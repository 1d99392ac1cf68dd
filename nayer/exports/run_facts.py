"""What a run's folder says about its run: settings, classes, and what was measured last."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from nayer.common.files import read_file
from nayer.config import Config
from nayer.errors import ConfigError, StorageError, excerpt
from nayer.exports.reproduce import known
from nayer.exports.run_folder import CONFIG, MAX_CONFIG_BYTES
from nayer.text_rules import check_names

MEASURES = ("accuracy", "teacher_accuracy", "agreement")


@dataclass(frozen=True)
class RunFacts:
    """The content of `config.json` in an `--out` folder. Shares are from 0 to 1, and None if they were not measured."""

    config: Config
    classes: tuple[str, ...]
    accuracy: float | None  # on test images
    teacher_accuracy: float | None
    agreement: float | None


def read_facts(folder: Path) -> RunFacts:
    """The facts of a run. Raises StorageError if its file is missing or damaged."""
    try:
        content = json.loads(read_file(folder / CONFIG, MAX_CONFIG_BYTES))
        measured = content.get("evaluated", {})
        shares = [measured.get(name) for name in MEASURES]
        if any(share is not None and not isinstance(share, int | float) for share in shares):
            raise ValueError("shares")
        if any(share is not None and not 0.0 <= share <= 1.0 for share in shares):
            raise ValueError("shares")
        if not isinstance(content["classes"], list):
            raise TypeError("classes")
        return RunFacts(known(content["config"]), check_names(content["classes"]), *shares)
    except OSError as error:
        raise StorageError(
            f"{excerpt(folder, 200)} contains no run ({error.strerror}); name a folder that `--out` wrote."
        ) from None
    except (ConfigError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise StorageError(f"{excerpt(folder, 200)} contains a damaged {CONFIG}; run it again.") from None
