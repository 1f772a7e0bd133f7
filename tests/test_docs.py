"""What the documents say can be done: links lead somewhere, commands name what exists."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
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
        for line in re.findall(r"(?:python|torchrun)\b.* ((?:tools|projects)/\S+\.py.*)", joined):
            tool, *words = line.split("#")[0].split()
            source = (ROOT / tool).read_text() + (ROOT / "tools/arguments.py").read_text()
            for word in words:
                if word.startswith("--"):
                    assert f'"{word}"' in source, f"{tool} {word}"
                if word.startswith("configs/"):
                    assert (ROOT / word).is_file(), word


def test_links_to_headings_lead_somewhere():
    for document in DOCUMENTS:
        for target, heading in re.findall(
            r"\]\((?!https?:)([^)#]*)#([^)]+)\)", document.read_text()
        ):
            text = (document.parent / target if target else document).read_text()
            titles = re.findall(
                r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.M
            )
            anchors = [
                re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles
            ]
            assert heading in anchors, f"{document.name}: {target}#{heading}"


def listed_configs(text: str) -> Iterator[str]:
    """Files below ``configs/`` that tables of models (rows) by data sets (columns) tick."""
    folders = dict(model="", baseline="baselines/")
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        head, _, *rows = (
            [cell.strip(" `") for cell in line.strip("|").split("|")]
            for line in table.splitlines()
        )
        if head[0] in folders:
            for model, _, *ticks in rows:
                for data, tick in zip(head[2:], ticks, strict=True):
                    if tick:
                        yield f"{folders[head[0]]}{model}_{data}.py"


def test_the_list_of_configs_is_complete():
    configs = ROOT / "configs"
    files = [*configs.glob("*.py"), *configs.glob("baselines/*.py")]
    listed = list(listed_configs((ROOT / "docs/configs.md").read_text()))
    assert sorted(listed) == sorted(str(path.relative_to(configs)) for path in files)


def test_the_named_backbones_are_listed():
    from mmcloudseg.models.backbones.named_streams import NAMED_STREAMS

    tables = re.findall(r"^\|.*\|$", (ROOT / "docs/backbones.md").read_text(), re.MULTILINE)
    assert set(re.findall(r"`([a-z0-9-]+-[a-z0-9-]+)`", "\n".join(tables))) == set(NAMED_STREAMS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_imports_in_documents_work(document):
    for block in code_blocks(document.read_text(), "python"):
        for module, names in re.findall(
            r"^from (mmcloudseg\S*) import (.+)$", block, re.MULTILINE
        ):
            for name in names.split(", "):
                assert hasattr(importlib.import_module(module), name), f"{module}.{name}"


def run_first_python_block(page: str, then: str = "") -> str:
    """In a process of its own: a session of tests has registries set up that a user's has not."""
    code = code_blocks((ROOT / page).read_text(), "python")[0] + then
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.slow
def test_the_model_in_python_runs():
    shown = "print(len(features), tuple(logits.shape), tuple(image.shape))"
    assert run_first_python_block("docs/python.md", shown) == "8 (1, 6, 160, 160) (1, 4, 160, 160)"


def test_the_simulated_clouds_in_python_run():
    assert run_first_python_block("docs/data.md").startswith("(4, 512, 512) ")
