"""Tables for a paper: the same cells as Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from nayer.common.spreadsheets import as_cell

# https://en.wikibooks.org/wiki/LaTeX/Special_Characters
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    ">": r"$>$",
    "<": r"$<$",
    "–": "--",
    "·": r"$\cdot$",
}


@dataclass(frozen=True)
class ResultTable:
    """A table. `name` is its file's, `title` one sentence above it, `note` one or more sentences below it."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def markdown(self) -> str:
        """The table with its title and note."""
        lines = [f"### {self.title}", ""]
        lines += [_line(self.columns), "| --- |" + " ---: |" * (len(self.columns) - 1)]
        lines += [_line(row) for row in self.rows]
        return "\n".join([*lines, *(["", self.note] if self.note else []), ""])

    def csv(self) -> str:
        """A heading and the rows. The first column has names."""
        text = io.StringIO()
        rows = [[as_cell(name), *numbers] for name, *numbers in self.rows]
        csv.writer(text, lineterminator="\n").writerows([self.columns, *rows])
        return text.getvalue()

    def latex(self) -> str:
        """A `table` for `\\input`, with the rules of the package booktabs."""
        caption = escaped(f"{self.title}{'. ' + self.note if self.note else ''}")
        rows = [" & ".join(map(escaped, row)) + r" \\" for row in [self.columns, *self.rows]]
        return "\n".join(
            [
                r"\begin{table}",
                r"\centering",
                rf"\caption{{{caption}}}",
                rf"\label{{tab:{self.name}}}",
                rf"\begin{{tabular}}{{l{'r' * (len(self.columns) - 1)}}}",
                r"\toprule",
                rows[0],
                r"\midrule",
                *rows[1:],
                r"\bottomrule",
                r"\end{tabular}",
                r"\end{table}",
                "",
            ]
        )


def escaped(text: str) -> str:
    """The text for LaTeX."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
