"""The configs that CONTRIBUTING shows load, build and train next to the shipped bases."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
from mmengine.config import Config
from mmseg.registry import DATASETS, MODELS

from mmcloudseg.engine.configs import load_config, networks

SPLITS = ("train", "val", "test")


@pytest.fixture(scope="module")
def configs(tmp_path_factory) -> Path:
    """A folder of configs as a contributor has it after typing in what the page shows."""
    root = Path(__file__).parents[2]
    folder = tmp_path_factory.mktemp("contributor")
    shutil.copytree(root / "configs/_base_", folder / "configs/_base_")
    page = (root / "CONTRIBUTING.md").read_text()
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        name = re.match(r"# (configs/\S+\.py)\n", block)
        assert name, f"a block of CONTRIBUTING.md does not start with its file's name:\n{block}"
        path = folder / name[1]
        assert not path.exists(), f"CONTRIBUTING.md shows {name[1]}, which ships or is shown twice"
        path.parent.mkdir(exist_ok=True)
        path.write_text(block)
    return folder / "configs"


@pytest.fixture(scope="module")
def mine(tmp_path_factory) -> Path:
    """Files as the page's data set names them: two random samples in each split."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for split in SPLITS:
        names = [f"{split}_{i}" for i in range(2)]
        (folder / f"{split}.txt").write_text("\n".join(names))
        for name in names:
            for part in ("cloudy", "clear"):
                write(folder / part / name, rng.integers(0, 10000, (4, 128, 128), np.uint16))
            write(folder / "sar" / name, rng.uniform(-25, 0, (2, 128, 128)).astype(np.float32))
            write(folder / "labels" / name, rng.integers(0, 3, (1, 128, 128), np.uint8))
            write(folder / "masks" / name, rng.integers(0, 2, (1, 128, 128), np.uint8))
    return folder


def write(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(exist_ok=True)
    count, height, width = pixels.shape
    with rasterio.open(
        path.with_suffix(".tif"),
        "w",
        driver="GTiff",
        count=count,
        height=height,
        width=width,
        dtype=pixels.dtype,
        crs="EPSG:32650",
        transform=rasterio.Affine(3, 0, 500000, 0, -3, 3400000),
    ) as file:
        file.write(pixels)


def test_a_data_set_is_one_base_and_three_leaves(configs):
    shipped = Path(__file__).parents[2] / "configs"
    added = {p.relative_to(configs) for p in configs.rglob("*mine*")}
    assert {str(p) for p in added} == {
        "_base_/datasets/mine.py",
        "cloudseg_student_mine.py",
        "cloudseg_teacher_mine.py",
        "cloudseg_mine.py",
    }
    for leaf in configs.glob("*_mine.py"):  # the page shows what the shipped leaves look like
        text = leaf.read_text().partition("\n")[2]
        text = text.replace("my data", "M3M-CR").replace("mine", "m3mcr")
        assert text == (shipped / leaf.name.replace("mine", "m3mcr")).read_text()


@pytest.mark.parametrize("role", ["student", "teacher"])
def test_a_network_trains_on_the_data_set(configs, mine, shallow, take_one_step, role):
    cfg = load_config(str(configs / f"cloudseg_{role}_mine.py"), data_root=str(mine))
    take_one_step(shallow(cfg))
    for split in SPLITS:
        dataset = DATASETS.build(cfg[f"{split}_dataloader"].dataset)
        seen = dict(student="cloudy", teacher="clear")[role]
        assert [Path(dataset.get_data_info(i)["img_path"]) for i in range(len(dataset))] == [
            mine / seen / f"{split}_{i}.tif" for i in range(2)
        ]
    assert cfg.test_dataloader.sampler.shuffle is False


def test_the_distillation_is_of_the_two_networks(configs, mine, shallow, take_one_step):
    cfg = load_config(str(configs / "cloudseg_mine.py"), data_root=str(mine))
    student, teacher = (
        Config.fromfile(configs / f"cloudseg_{role}_mine.py").model
        for role in ("student", "teacher")
    )
    assert networks(cfg) == [student, teacher]
    assert cfg.teacher_config == "cloudseg_teacher_mine.py"
    assert Path(cfg.model.teacher_ckpt).parent.name == Path(cfg.teacher_config).stem
    take_one_step(shallow(cfg))


def test_a_model_is_one_base_and_its_leaf(configs, mini, shallow, take_one_step):
    assert {str(p.relative_to(configs)) for p in configs.rglob("fcn_*")} == {
        "_base_/models/fcn_r18.py",
        "baselines/fcn_r18_m3mcr.py",
    }
    cfg = load_config(str(configs / "baselines/fcn_r18_m3mcr.py"), data_root=str(mini))
    cfg.train_dataloader.dataset.update(holdout_fraction=0.0, holdout="exclude")
    take_one_step(shallow(cfg))
    assert MODELS.build(cfg.model).decode_head.num_classes == 6
