"""Trainings with other losses and heads than the shipped ones, named in a config of the user's."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
import torch

from mmcloudseg.apis.test import test as run_test
from mmcloudseg.apis.train import train
from mmcloudseg.engine.runs import RunSettings
from mmcloudseg.scenes.predictor import ScenePredictor

pytestmark = pytest.mark.slow

OHEM = "sampler=dict(type='OHEMPixelSampler', thresh=0.7, min_kept=100)"
LOSSES = {
    "class weights": "loss_decode=dict(class_weight=[1.0, 2.0, 1.0, 3.0, 1.0, 1.0])",
    "dice": "loss_decode=dict(type='DiceLoss')",
    "lovasz": "loss_decode=dict(type='LovaszLoss')",
    "tversky": "loss_decode=dict(type='TverskyLoss')",
    "focal": "loss_decode=dict(type='FocalLoss')",
    "ohem": OHEM,
    "hardest": "sampler=dict(type='OHEMPixelSampler', min_kept=100)",
    "combined": "loss_decode=[dict(type='CrossEntropyLoss', avg_non_ignore=True, "
    "class_weight=[1.0, 2.0, 1.0, 3.0, 1.0, 1.0]), dict(type='DiceLoss', loss_weight=3.0)], "
    + OHEM,
}
KINDS = ("planet_cloudy", "S1")
ONE_CHANNEL = (
    "decode_head=dict(num_classes=2, out_channels=1, threshold=0.4, "
    "loss_decode=dict(type='CrossEntropyLoss', use_sigmoid=True, avg_non_ignore=True))"
)


@pytest.fixture
def own_config(root, tmp_path):
    """``own_config(leaf, text)``: a config of the user's that changes one of ours."""

    def write(leaf: str, text: str) -> str:
        path = tmp_path / "own.py"
        path.write_text(f"_base_ = ['{root}/configs/{leaf}.py']\n{text}\n")
        return str(path)

    return write


@pytest.fixture
def run(mini, tmp_path, few_iterations):
    """``run(**options)``: settings of two iterations and one validation on the mini set."""

    def make(**options) -> RunSettings:
        options = few_iterations | {"train_cfg.max_iters": 2} | options
        return RunSettings(work_dir=str(tmp_path / "run"), options=options, data_root=str(mini))

    return make


@pytest.fixture
def two_classes():
    """Options that make the mini set one of two classes; the others are ignored."""
    two = dict(classes=("forest", "water"), palette=[[0, 99, 0], [0, 0, 200]])
    return {f"{name}_dataloader.dataset.metainfo": two for name in ("train", "val", "test")}


@pytest.mark.parametrize(
    ("leaf", "loss"),
    [
        *(("cloudseg_none_mini", loss) for loss in LOSSES),
        ("baselines/segformer_mit-b0_mini", "combined"),
        ("asanet_r18_mini", "combined"),
    ],
)
def test_trains_with_a_loss_named_in_the_config(own_config, run, narrow, leaf, loss):
    options = narrow("model.") if leaf.startswith("cloudseg") else {}
    config = own_config(leaf, f"model = dict(decode_head=dict({LOSSES[loss]}))")
    best = torch.load(train(config, run(**options)), weights_only=True)
    assert all(value.isfinite().all() for value in best["state_dict"].values())


@pytest.mark.parametrize(
    ("leaf", "model", "streams"),
    [
        ("cloudseg_none_mini", ONE_CHANNEL, "model."),
        ("baselines/segformer_mit-b0_mini", ONE_CHANNEL, None),
        ("two_step_mit-b0_mini", f"segmentor=dict({ONE_CHANNEL})", "model.remover."),
        (
            "cloudseg_mini",
            f"architecture=dict({ONE_CHANNEL}), teacher=dict({ONE_CHANNEL})",
            "model.architecture.",
        ),
    ],
    ids=["CloudSeg", "baseline", "two-step", "distillation"],
)
def test_one_channel_from_training_to_a_map(
    root, own_config, run, narrow, two_classes, mini, tmp_path, leaf, model, streams
):
    teacher = f"teacher_config = '{root}/configs/cloudseg_teacher_mini.py'"
    config = own_config(leaf, f"model = dict({model})\n{teacher}")
    best = train(config, run(**two_classes, **(narrow(streams) if streams else {})))
    streams = streams and streams.replace("architecture.", "")
    options = {**two_classes, **(narrow(streams) if streams else {})}
    scores = run_test(config, str(best), run(**options), out_dir=str(tmp_path / "out"))
    assert np.isfinite([scores["mIoU"], scores["calibration/ECE"]]).all()
    assert 30 <= scores["calibration/confidence"] <= 100

    images = [sorted((mini / "test").glob(f"{kind}_*/*/*.tif"))[0] for kind in KINDS]
    predictor = ScenePredictor(config, str(best), "cpu", options)
    report = predictor.predict(
        *images, tmp_path / "map.tif", confidence=True, probabilities=True, progress=False
    )
    kinds = ("map", "confidence", "probabilities")
    labels, confidence, shares = (rasterio.open(report.files[kind]).read() for kind in kinds)
    shares = shares / 10_000
    assert len(shares) == 2
    np.testing.assert_allclose(shares.sum(axis=0), 1, atol=1e-3)
    assert ((labels[0] == 1) == (shares[1] > 0.4)).mean() > 0.999
    np.testing.assert_allclose(
        confidence[0] / 100, np.where(labels[0] == 1, shares[1], shares[0]), atol=0.006
    )
