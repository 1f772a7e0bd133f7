"""What an import brings along, each tried in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest


def imported(code: str) -> set[str]:
    """The top-level packages that some code leaves in ``sys.modules``."""
    code += "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return set(done.stdout.splitlines()[-1].split())


def test_clouds_need_neither_torch_nor_openmmlab():
    code = (
        "import numpy as np\n"
        "from mmcloudseg.clouds import CloudSettings, simulate_clouds\n"
        "image = np.full((4, 32, 32), 900.0)\n"
        "um = (0.49, 0.565, 0.665, 0.865)\n"
        "drawn = simulate_clouds(image, CloudSettings(3.0, um, cover=0.5), name='a')\n"
        "assert 0.4 < drawn.mask.mean() < 0.6"
    )
    heavy = {"torch", "mmengine", "mmcv", "mmseg", "mmrazor", "rasterio", "matplotlib"}
    assert imported(code).isdisjoint(heavy)


# MMSegmentation remarks on ops that are not there, unless this package imports it.
QUIET = "import warnings; warnings.simplefilter('ignore')\n"
LOOK_UP = "from mmseg.registry import DATASETS; assert DATASETS.get('M3MCRDataset')"


@pytest.mark.parametrize(
    "code",
    [
        f"import mmcloudseg; {LOOK_UP}",
        f"{QUIET}import mmseg.models, mmcloudseg; {LOOK_UP}",
        f"{QUIET}from mmseg.registry import DATASETS, MODELS\n"
        "assert DATASETS.get('ADE20KDataset')\n"
        f"assert MODELS.get('FCNHead'); import mmcloudseg; {LOOK_UP}",
        f"from mmcloudseg.models import CloudSeg; {LOOK_UP}",
        "import mmcloudseg; from mmengine.registry import HOOKS, init_default_scope\n"
        "init_default_scope('mmseg'); HOOKS.build(dict(type='LabelMapHook'))",
    ],
    ids=["first", "after mmseg", "after a look-up", "by a module", "through MMEngine"],
)
def test_mmsegs_registries_know_the_package_whichever_is_imported_first(code):
    assert "mmseg" in imported(code)


def test_mmrazor_is_imported_for_a_distillation_only():
    code = "import mmcloudseg.registration; from mmseg.registry import MODELS\n"
    assert "mmrazor" not in imported(code + "MODELS.get('CloudSeg')")
    assert "mmrazor" in imported(
        code + "from mmcloudseg.models.distillation import CloudFreeTeacherDistill"
    )
