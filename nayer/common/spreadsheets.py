"""Texts of a CSV file that a spreadsheet does not take for formulas."""

from __future__ import annotations

import re

# The beginning of a formula, as OWASP lists them, in a cell of a table that commas, semicolons, tabs or pipes separate;
# the wide forms are those of a Japanese spreadsheet.
_FORMULA = re.compile(r"((?:^|[,;\t|])[\s\"']*)(?=[=+\-@＝＋－＠])")


def as_cell(text: str) -> str:
    """The text with an apostrophe before each formula, also where a spreadsheet separates cells by something else.

    It is for names and sentences. A negative number would become a text.
    """
    return _FORMULA.sub(r"\1'", text)
