"""MMSegmentation's own tools and inference functions on configs of ours."""

from __future__ import annotations

from pathlib import Path

import mmseg
import numpy as np
import pytest
import torch
from mmseg.apis import MMSegInferencer, inference_model, init_model
from mmseg.registry import MODELS

from mmcloudseg.engine.configs import load_config
from mmcloudseg.utils.errors import DataError

TOOLS = Path(mmseg.__file__).parent / ".mim/tools"
LEAVES = ["cloudseg_none_mini", "cloudseg_student_mini", "baselines/segformer_mit-b0_mini"]

pytestmark = pytest.mark.slow
needs_tools = pytest.mark.skipif(
    not TOOLS.is_dir(), reason="this installation of MMSegmentation came without its tools"
)


@pytest.fixture
def config(root, mini, tmp_path):
    """``config(leaf, text)``: a config of the user's on the mini set, without workers."""

    def write(leaf: str, text: str = "") -> Path:
        path = tmp_path / "own.py"
        path.write_text(
            f"_base_ = ['{root}/configs/{leaf}.py']\n"
            "loader = dict(num_workers=0, persistent_workers=False, "
            f"dataset=dict(data_root='{mini}'))\n"
            f"train_dataloader = val_dataloader = test_dataloader = loader\n{text}\n"
        )
        return path

    return write


@pytest.fixture
def checkpoint(tmp_path):
    """``checkpoint(config)``: untrained weights of its model."""

    def save(config: Path) -> Path:
        model = MODELS.build(load_config(str(config)).model)
        torch.save(dict(state_dict=model.state_dict(), meta={}), tmp_path / "c.pth")
        return tmp_path / "c.pth"

    return save


@needs_tools
@pytest.mark.parametrize("leaf", LEAVES)
def test_test_writes_predictions(run_tool, config, checkpoint, tmp_path, leaf):
    path = config(leaf)
    status, *_ = run_tool(
        TOOLS / "test.py", path, checkpoint(path), "--work-dir", tmp_path, "--out", tmp_path / "o"
    )
    assert status == 0 and len(list((tmp_path / "o").glob("*.png"))) == 2


@needs_tools
@pytest.mark.parametrize("leaf", LEAVES)
def test_test_averages_flipped_views(run_tool, config, checkpoint, tmp_path, leaf):
    path = config(leaf)
    status, out, errors = run_tool(
        TOOLS / "test.py", path, checkpoint(path), "--work-dir", tmp_path, "--tta"
    )
    assert status == 0 and "calibration/cloudy/ECE" in out + errors


@needs_tools
@pytest.mark.parametrize("leaf", LEAVES)
def test_get_flops(run_tool, config, leaf):
    tool = TOOLS / "analysis_tools/get_flops.py"
    with pytest.warns(UserWarning, match="made-up image of 3 bands"):
        status, out, _ = run_tool(tool, config(leaf), "--shape", 160, 160)
    assert status == 0 and "Flops: " in out


@needs_tools
def test_browse_dataset(run_tool, config, tmp_path):
    tool, folder = TOOLS / "analysis_tools/browse_dataset.py", tmp_path / "pictures"
    status, *_ = run_tool(tool, config(LEAVES[0]), "--output-dir", folder, "--not-show")
    assert status == 0 and len(list(folder.iterdir())) == 4


@pytest.mark.parametrize("leaf", [*LEAVES[1:], "two_step_mit-b0_mini", "cloudseg_mini"])
def test_inference_model_maps_an_array(root, leaf):
    model = init_model(root / f"configs/{leaf}.py", device="cpu")
    rng = np.random.default_rng(0)
    image = np.concatenate(
        [rng.uniform(0, 9000, (160, 170, 4)), rng.uniform(-20, -5, (160, 170, 2))], axis=2
    )
    one, two = inference_model(model, [image, image.astype("float32")])
    assert one.pred_sem_seg.data.shape == (1, 160, 170) and one.seg_logits.data.std() > 0
    inputs = torch.from_numpy(image.transpose(2, 0, 1)).float()
    expected = model.test_step(dict(inputs=[inputs], data_samples=None))[0].seg_logits.data
    for found in (one, two):
        torch.testing.assert_close(found.seg_logits.data, expected)
    with pytest.raises(ValueError, match=r"3 bands.*4 optical and 2 SAR"):
        inference_model(model, image[..., :3])
    with pytest.raises(DataError, match=r"a\.tif.*ScenePredictor"):
        inference_model(model, "a.tif")


def test_the_inferencer_says_what_to_use(config, checkpoint):
    path = config(LEAVES[0])
    with pytest.raises(ValueError, match=r"MMSegInferencer.*ScenePredictor.*inference_model"):
        MMSegInferencer(model=str(path), weights=str(checkpoint(path)), device="cpu")
