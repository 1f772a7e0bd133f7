"""Fixtures of the whole suite."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from mmengine.registry import init_default_scope
from own_files import write_your_data

import mmcloudseg  # noqa: F401  (registers everything)

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True, scope="session")
def mmseg_scope():
    """Types without a prefix are MMSeg's and ours, as in a Runner; tests run side by side."""
    init_default_scope("mmseg")
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's root."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Golden numbers and real samples that lie beside the project and are no part of it."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("needs the folder ../shared (licensed samples and golden outputs)")
    return folder


@pytest.fixture(scope="session")
def mini(tmp_path_factory) -> Path:
    """A small mini data set: 4 training, 2 validation, 2 test samples."""
    from mmcloudseg.procedural import write_mini_m3mcr

    folder = tmp_path_factory.mktemp("data") / "mini"
    write_mini_m3mcr(folder, seed=0, counts=dict(train=4, val=2, test=2))
    return folder


@pytest.fixture(scope="session")
def mini_whu(tmp_path_factory) -> Path:
    """Tiles of a small mini WHU-OPT-SAR: 2 training scenes, 1 validation and 1 test scene."""
    from mmcloudseg.datasets.conversion import ConversionSettings, convert
    from mmcloudseg.procedural import write_mini_whu

    folder = tmp_path_factory.mktemp("data")
    write_mini_whu(folder / "scenes", counts=dict(train=3, test=1), size=(256, 300))
    settings = ConversionSettings(tile_sizes=(256,), subset=True, jobs=1)
    made = convert(folder / "scenes", folder / "tiles", settings)
    return made.folders[0].path


@pytest.fixture(scope="session")
def mini_luojia(tmp_path_factory) -> Path:
    """A small mini LuojiaSET-OSFCR: 3 regions of interest, one for each split."""
    from mmcloudseg.procedural import write_mini_luojia

    folder = tmp_path_factory.mktemp("data") / "luojia"
    write_mini_luojia(folder, rois=3, patches_per_roi=5)
    return folder


@pytest.fixture(scope="session")
def your_data(tmp_path_factory) -> Path:
    """The files that configs/_base_/datasets/your_data.py describes: 2 training samples."""
    return write_your_data(tmp_path_factory.mktemp("data") / "your_data")


@pytest.fixture(scope="session")
def mini_root(request) -> Callable[[str], Path]:
    """``mini_root(dataset_type)``: the root of a small set for a dataset class; made if needed."""
    fixtures = dict(
        M3MCRDataset="mini",
        WHUOptSARDataset="mini_whu",
        LuojiaOSFCRDataset="mini_luojia",
        OpticalSARDataset="your_data",
    )
    return lambda dataset_type: request.getfixturevalue(fixtures[dataset_type])


@pytest.fixture
def run_tool(root, monkeypatch, capsys) -> Callable:
    """Run a tool in this process, which has the package imported already.

    ``run_tool(path, *arguments)``, the path relative to ``tools/`` or else to the project's root,
    returns its exit code, standard output and standard error.
    """

    def run(name: str, *arguments: object) -> tuple[int, str, str]:
        path = root / "tools" / name
        path = path if path.exists() else root / name
        tool = str(path)
        # As Python does for a script: what it shares with others lies in its folder.
        monkeypatch.syspath_prepend(path.parent)
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
