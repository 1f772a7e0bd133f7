"""Numbers, lists and tables as text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from prettytable import PrettyTable, TableStyle


def shorten_list(items: Iterable[object], limit: int = 5) -> str:
    """Join the first few items, and say how many more there are: ``a, b and 3 more``."""
    words = [str(item) for item in items]
    shown = ", ".join(words[:limit])
    return shown if len(words) <= limit else f"{shown} and {len(words) - limit} more"


def markdown_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a Markdown table whose first column is aligned left and the others right.

    Args:
        columns: Titles, each different from the others.
        rows: Cells of each row, as many as there are columns.
    """
    table = PrettyTable(list(columns))
    table.set_style(TableStyle.MARKDOWN)
    table.align = "r"
    table.align[columns[0]] = "l"
    table.add_rows([list(row) for row in rows])
    return table.get_string()


def format_number(value: float, decimals: int = 2) -> str:
    """Write a number with a fixed number of decimals, and NaN as ``-``."""
    return "-" if math.isnan(value) else f"{value:.{decimals}f}"
