"""The notebook runs from its first cell to its last, and keeps no outputs."""

import json

import matplotlib
import pytest
import torch

from tests.support.repository import ROOT

NOTEBOOK = ROOT / "notebooks" / "distill.ipynb"
CELLS = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
FEW = "rounds=3, warmup_rounds=1, generator_steps=2, student_steps=2"


@pytest.mark.slow
def test_its_ten_cells_run_in_their_order_and_leave_a_student_that_loads(tmp_path, monkeypatch, capsys):
    codes = ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "code"]
    assert len(codes) == 10
    assert sum("seconds=60" in code for code in codes) == 1
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "__main__"}
    with matplotlib.rc_context({"backend": "Agg"}):
        for number, code in enumerate(codes):
            exec(compile(code.replace("seconds=60", FEW), f"cell {number}", "exec"), names)
    names["plt"].close("all")
    told = capsys.readouterr().out
    assert "RunFinished after" in told
    assert "rounds done" in told
    loaded = {"__file__": str(tmp_path / "student.py"), "__name__": "student"}
    exec((tmp_path / "student.py").read_text("utf-8"), loaded)
    images = torch.rand(2, 1, 8, 8)
    torch.testing.assert_close(loaded["load"]()(images), names["run"].student.eval()(images))


def test_it_is_a_clean_notebook_with_words_before_every_cell():
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in CELLS if "outputs" in cell)
    assert [cell["cell_type"] for cell in CELLS] == ["markdown", "code"] * 10
    assert len({cell["id"] for cell in CELLS}) == len(CELLS)
