"""A server serves whatever its streams and its folder are: a service has none, a shell has closed them."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repository import ROOT

BEGIN = """
import sys
sys.path.insert(0, sys.argv[1])
from app.support.process import prepare, tell
prepare()
import os
tell("Open it.")
print("more", flush=True)
print("a fault", file=sys.stderr)
os.getcwd()
with open(sys.argv[2], "w") as kept:
    assert kept.fileno() > 2
    kept.write("served " + os.environ.get("GRADIO_SERVER_PORT", ""))
"""


@pytest.mark.parametrize("shell", ["", ">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full", "| true"])
def test_a_server_begins_whatever_its_streams_and_its_folder_are(shell: str, tmp_path: Path) -> None:
    kept, gone = tmp_path / "kept", tmp_path / "gone"
    gone.mkdir()
    words = shlex.join([sys.executable, "-c", BEGIN, str(ROOT), str(kept)])
    code = f"cd {shlex.quote(str(gone))} && rmdir {shlex.quote(str(gone))} && {words} {shell}"
    environment = os.environ | {"GRADIO_SERVER_PORT": "none"}
    done = subprocess.run(["bash", "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert kept.read_text() == "served "
