"""Settings for reading with `transformers`: short retries, no output, no telemetry."""

from __future__ import annotations

import os
import queue
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nayer.common.files import open_file
from nayer.errors import excerpt

_one_at_a_time = threading.Lock()  # the whole process shares logging, and 30 visitors must not load 30 networks at once
MAX_JSON_BYTES = 48 << 20
# The files that are read in a folder, by the end of their names.
MAX_BYTES = {".json": MAX_JSON_BYTES, ".jinja": MAX_JSON_BYTES, ".txt": MAX_JSON_BYTES, ".safetensors": 2 << 30}
HUB_SECONDS = 5.0  # how long the Hub may take to answer at all
_ID = re.compile(r"[\w-][\w.-]{0,95}/[\w-][\w.-]{0,95}")


def is_hub_id(name: str) -> bool:
    """Whether it may be an `owner/name` on the Hub."""
    return bool(_ID.fullmatch(name))


def on_this_machine(repository: str) -> bool:
    """Whether it can be read without a network: it is a folder, or it is in the Hub's cache."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        return Path(repository).is_dir() or isinstance(try_to_load_from_cache(repository, "config.json"), str)
    except (HFValidationError, OSError, ValueError):  # not a valid name of a repository or a file
        return False


def check_folder(name: str) -> None:
    """Checks the files of a folder before `transformers` opens them: it would wait for a FIFO and read a device.

    Raises OSError whose `strerror` names the first file that is not regular or is too large. A name that is not a
    folder passes.
    """
    folder = Path(name)
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        limit = MAX_BYTES.get(path.suffix)
        if limit is None or path.is_dir():
            continue
        try:
            open_file(path, limit).close()
        except OSError as error:
            raise OSError(error.errno, f"{excerpt(path.name)} cannot be read ({error.strerror})") from None


def hub_problem(repository: str, file: str) -> str:
    """Why the Hub does not give that file, in a few words; empty if it does.

    One short request, because a download without network would be retried for half a minute. It waits in a thread of
    its own: no timeout of a request covers the lookup of a name, which takes half a minute if no server answers.
    """
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=lambda: answers.put(_refusal(repository, file)), daemon=True).start()
    try:
        return answers.get(timeout=HUB_SECONDS + 1.0)
    except queue.Empty:
        return f"no answer within {HUB_SECONDS:.0f} s"


def _refusal(repository: str, file: str) -> str:
    import huggingface_hub

    try:
        url = huggingface_hub.hf_hub_url(repository, file)
        huggingface_hub.get_hf_file_metadata(url, timeout=HUB_SECONDS)
    except Exception as error:  # offline mode, no network, no such repository, a malformed name
        return first_line(error)
    return ""


def safetensors_only() -> None:
    """Without this, a background thread sends an old .bin file away to be converted."""
    os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "true")


@contextmanager
def quiet(transformers: Any) -> Iterator[None]:
    """No progress bars and no loading reports on the terminal; both settings are put back. One thread at a time."""
    logging = transformers.utils.logging
    with _one_at_a_time:
        verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        try:
            yield
        finally:
            logging.set_verbosity(verbosity)
            if bars:
                logging.enable_progress_bar()


def first_line(error: BaseException) -> str:
    """The cause of an error, short enough for a sentence."""
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return line.rstrip(".:") if len(line) <= 160 else line[:159] + "…"
