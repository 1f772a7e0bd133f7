from __future__ import annotations

import runpy
import sys
from collections.abc import Callable

import pytest


@pytest.fixture
def run_tool(root, monkeypatch, capsys) -> Callable:
    """Run a tool in this process, which has the package imported already.

    ``run_tool(name, *arguments)`` returns its exit code, standard output and standard error.
    """
    # As Python does for a script: what tools share lies beside them.
    monkeypatch.syspath_prepend(root / "tools")

    def run(name: str, *arguments: object) -> tuple[int, str, str]:
        tool = str(root / "tools" / name)
        monkeypatch.setattr(sys, "argv", [tool, *map(str, arguments)])
        message = ""
        try:
            runpy.run_path(tool, run_name="__main__")
            status = 0
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else 1
            message = "" if isinstance(stop.code, int) else str(stop.code)
        captured = capsys.readouterr()
        return status, captured.out, captured.err + message

    return run
