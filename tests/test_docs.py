"""What the documents say can be done: links lead somewhere, commands name what exists."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md")]
DOCUMENTS += sorted((ROOT / "docs").glob("**/*.md"))
IDS = [str(path.relative_to(ROOT)) for path in DOCUMENTS]


def code_blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
        assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_commands_name_what_exists(document):
    makefile = (ROOT / "Makefile").read_text()
    for block in code_blocks(document.read_text(), "bash"):
        joined = block.replace("\\\n", " ")
        for target in re.findall(r"^make (\w+)", joined, re.MULTILINE):
            assert f"\n{target}:" in makefile, target
        for line in re.findall(r"python (tools/\S+\.py.*)", joined):
            tool, *words = line.split("#")[0].split()
            source = (ROOT / tool).read_text() + (ROOT / "tools/arguments.py").read_text()
            for word in words:
                if word.startswith("--"):
                    assert f'"{word}"' in source, f"{tool} {word}"
                if word.startswith("configs/"):
                    assert (ROOT / word).is_file(), word


def test_every_config_is_in_the_readme():
    readme = (ROOT / "README.md").read_text()
    for config in (ROOT / "configs").glob("*.py"):
        network, data = config.stem.rsplit("_", 1)
        spelled = config.name in readme or f"{network}_m3mcr.py" in readme or network in readme
        assert spelled and (config.name in readme or f"_{data}.py`" in readme), config.name


@pytest.mark.slow
def test_the_readmes_python_runs():
    """In a process of its own: a session of tests has registries set up that a user's has not."""
    (code,) = code_blocks((ROOT / "README.md").read_text(), "python")
    code += "print(len(features), tuple(logits.shape), tuple(image.shape))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "8 (1, 6, 160, 160) (1, 4, 160, 160)", done.stderr
