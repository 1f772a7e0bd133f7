"""What the documents say can be done: links lead somewhere, commands name what exists."""

from __future__ import annotations

import re
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
        data_twin = config.name.replace("_mini", "_m3mcr")
        assert config.name in readme or data_twin in readme


def test_the_readmes_python_runs(monkeypatch):
    monkeypatch.chdir(ROOT)
    (code,) = code_blocks((ROOT / "README.md").read_text(), "python")
    scope: dict = {}
    exec(code, scope)
    assert scope["logits"].shape == (1, 6, 160, 160)
    assert scope["image"].shape == (1, 4, 160, 160)
    assert len(scope["features"]) == 8
