"""What the scripts share with the server comes from one place."""

from __future__ import annotations

from app.api.static_files import static_files
from app.generated.page_constants import TARGET, constants, module


def test_the_scripts_constants_are_the_servers() -> None:
    assert TARGET.read_text("utf-8") == module(), "make reference writes it anew"


def test_every_constant_is_used_by_a_script() -> None:
    scripts = [path.read_text("utf-8") for path in static_files().values() if path.suffix == ".js" and path != TARGET]
    used = {one.name for one in constants() if any(one.name in script for script in scripts)}
    assert {one.name for one in constants()} == used
