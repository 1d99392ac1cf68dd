"""No cell of a CSV file is a formula, whoever chose the name in it."""

from __future__ import annotations

import csv
import io

import pytest

from nayer.common.spreadsheets import as_cell
from nayer.compare.outcome import Outcome
from nayer.compare.result_table import ResultTable
from nayer.compare.tables import table
from nayer.config import Config

FORMULA = "=cmd|'/c calc'!A1"


@pytest.mark.parametrize("text", [FORMULA, "+1", "-1", "@SUM(A1)", "\t=1", ' "=1', "a;=1", "a|@b", "＝1"])
def test_a_formula_becomes_a_text(text: str) -> None:
    cell = as_cell(text)
    assert cell != text
    assert cell.replace("'", "", 1) == text.replace("'", "", 1) or cell.replace("'", "") == text.replace("'", "")
    assert cell[cell.index("'") + 1] in "=+-@＝"


@pytest.mark.parametrize("text", ["NAYER", "LTE, width 128", "a = b", "Übung", "k-to-1"])
def test_a_name_stays(text: str) -> None:
    assert as_cell(text) == text


def test_names_of_arms_are_no_formulas_in_any_table_and_numbers_stay_numbers() -> None:
    written = ResultTable("t", "title", ("arm", "difference"), [[FORMULA, "-1.5"]]).csv()
    assert list(csv.reader(io.StringIO(written)))[1] == [f"'{FORMULA}", "-1.5"]
    [row] = csv.DictReader(
        io.StringIO(table([Outcome(arm=FORMULA, seed=0, config=Config().model_dump(), gigaflops=1.0, failure="-x")]))
    )
    assert (row["arm"], row["failure"]) == (f"'{FORMULA}", "'-x")
