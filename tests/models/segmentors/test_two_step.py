from __future__ import annotations

import math

import pytest
import torch
from mmengine.config import Config
from mmseg.registry import MODELS

from mmcloudseg.apis.test import test as run_test
from mmcloudseg.apis.train import train
from mmcloudseg.engine.configs import load_config
from mmcloudseg.engine.runs import RunSettings
from mmcloudseg.models import TwoStep

NARROW = dict(name="mit-b0", embed_dims=16, num_layers=[1, 1, 1, 1])
WIDTHS = [16, 32, 80, 128]


@pytest.fixture
def config(root):
    """The shipped config with narrow streams."""
    cfg = Config.fromfile(root / "configs/two_step_mit-b0_mini.py").model
    cfg.remover.backbone.stream = NARROW
    cfg.segmentor.backbone.stream = NARROW
    cfg.segmentor.decode_head.update(in_channels=WIDTHS, channels=16)
    return cfg


@pytest.fixture
def model(config) -> TwoStep:
    torch.manual_seed(0)
    return MODELS.build(config)


def gradients(part) -> list[bool]:
    return [p.grad is not None for p in part.parameters()]


def test_each_loss_reaches_all_of_its_own_part_and_nothing_of_the_other(model, batch):
    for prefix, part, other in (
        ("remover.", model.remover, model.segmentor),
        ("segmentor.", model.segmentor, model.remover),
    ):
        model.zero_grad(set_to_none=True)
        losses = {k: v for k, v in model(*batch(), mode="loss").items() if k.startswith(prefix)}
        model.parse_losses(losses)[0].backward()
        assert all(gradients(part))
        assert not any(gradients(other))


def test_both_losses_are_in_the_total_and_every_parameter_is_used(model, batch):
    losses = model(*batch(), mode="loss")
    assert {"remover.loss_cloud_removal", "segmentor.decode.loss_ce"} <= losses.keys()
    total, _ = model.parse_losses(losses)
    parts = losses["remover.loss_cloud_removal"] + losses["segmentor.decode.loss_ce"]
    torch.testing.assert_close(total, parts)
    total.backward()
    assert [n for n, p in model.named_parameters() if p.grad is None] == []


def test_side_by_side_is_each_step_alone(config, batch):
    """One step of the joint training moves each part as its own training would."""

    def moved(prefix: str) -> dict:
        torch.manual_seed(0)
        model = MODELS.build(config)
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout | torch.nn.Dropout2d):
                module.p = 0.0
            if hasattr(module, "drop_prob"):
                module.drop_prob = 0.0
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        losses = model(*batch(), mode="loss")
        model.parse_losses({k: v for k, v in losses.items() if k.startswith(prefix)})[0].backward()
        optimizer.step()
        return model.state_dict()

    together, remover, segmentor = moved(""), moved("remover."), moved("segmentor.")
    for name, value in together.items():
        alone = remover if name.startswith("remover.") else segmentor
        torch.testing.assert_close(value, alone[name], rtol=0, atol=1e-7)


def test_the_segmentor_learns_from_the_clear_image(model, batch):
    inputs, samples = batch()
    other = inputs.clone()
    other[:, :4] = 1 - other[:, :4]
    model.segmentor.eval()  # no dropout
    one, two = (model(x, samples, mode="loss") for x in (inputs, other))
    assert one["segmentor.decode.loss_ce"] == two["segmentor.decode.loss_ce"]
    assert one["remover.loss_cloud_removal"] != two["remover.loss_cloud_removal"]


@torch.no_grad()
@pytest.mark.parametrize("cloud_free", [True, False])
def test_inference_is_the_remover_and_then_the_segmentor(config, batch, cloud_free):
    config.test_cfg.update(mode="whole", cloud_free=cloud_free)
    model = MODELS.build(config).eval()
    model.remover.head.conv_image.bias += torch.tensor([-0.5, 0.0, 0.5, 1.0])
    inputs, samples = batch(2, 160)

    image = model.remover(inputs)
    assert image.min() < 0 and image.max() > 1  # so that clamping shows
    restored = torch.cat([image.clamp(0, 1), inputs[:, 4:]], dim=1)
    logits = model.segmentor.decode_head(model.segmentor.backbone(restored))
    logits = torch.nn.functional.interpolate(logits, (160, 160), mode="bilinear")
    logits = torch.nn.functional.interpolate(logits, (48, 48), mode="bilinear")
    torch.testing.assert_close(
        model(inputs), model.segmentor.decode_head(model.extract_feat(inputs))
    )

    results = model(inputs, samples, mode="predict")
    for i, result in enumerate(results):
        torch.testing.assert_close(result.seg_logits.data, logits[i], rtol=0, atol=1e-5)
        assert result.pred_sem_seg.data.shape == (1, 48, 48)
        assert ("pred_cloud_free" in result) == cloud_free
        if cloud_free:
            torch.testing.assert_close(result.pred_cloud_free.data, image[i], rtol=0, atol=1e-5)


@torch.no_grad()
def test_each_window_goes_through_both_steps(model, batch):
    model.eval()
    inputs, samples = batch(2, 240)
    torch.testing.assert_close(  # four windows, which overlap by half
        model.slide_inference(inputs, [{}])[..., :80, :80],
        model.encode_decode(inputs[..., :160, :160], [{}])[..., :80, :80],
        rtol=0,
        atol=1e-5,
    )
    results = model(inputs, samples, mode="predict")
    for result in results:
        assert result.seg_logits.data.shape == (6, 72, 72)
        assert result.pred_cloud_free.data.shape == (4, 240, 240)


def test_any_segmentor_of_mmseg(config, batch):
    """One with an auxiliary head; its heads upsample by themselves."""
    head = dict(
        type="FCNHead",
        channels=8,
        num_convs=1,
        num_classes=6,
        norm_cfg=dict(type="BN"),
        loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True),
    )
    config.segmentor = dict(
        type="EncoderDecoder",
        backbone=config.segmentor.backbone,
        decode_head=dict(head, in_channels=WIDTHS[3], in_index=3),
        auxiliary_head=dict(head, in_channels=WIDTHS[2], in_index=2),
    )
    model = MODELS.build(config)
    inputs, samples = batch(2, 160)
    losses = model(inputs, samples, mode="loss")
    assert {"segmentor.decode.loss_ce", "segmentor.aux.loss_ce"} <= losses.keys()
    model.eval()
    with torch.no_grad():
        assert model.encode_decode(inputs, [{}] * 2).shape == (2, 10, 160, 160)


def test_other_bands(config, batch):
    bands = dict(optical=3, sar=1)
    config.remover.backbone.bands = config.segmentor.backbone.bands = bands
    model = MODELS.build(config).eval()
    with torch.no_grad():
        inputs = torch.rand(1, 4, 160, 160)
        maps = model.encode_decode(inputs, [{}])
        logits = model.encode_decode(inputs, [{}], cloud_free=False)
    assert maps.shape == (1, 6 + 3, 160, 160)
    assert torch.equal(logits, maps[:, :6])


@pytest.mark.parametrize("field", ["gt_cloud_free", "gt_cloud_mask"])
def test_a_sample_without_what_the_remover_learns_from(model, batch, field):
    inputs, samples = batch()
    delattr(samples[1], field)
    with pytest.raises(ValueError, match=rf"a.tif has no '{field}'.*LoadRasters"):
        model(inputs, samples, mode="loss")


def test_trains_and_tests(root, mini, tmp_path):
    config = str(root / "configs/two_step_mit-b0_mini.py")
    options = {
        "train_cfg.max_iters": 2,
        "train_cfg.val_interval": 2,
        "default_hooks.checkpoint.interval": 2,
        "default_hooks.logger.interval": 1,
        "model.remover.backbone.stream": dict(NARROW, _delete_=True),
        "model.segmentor.backbone.stream": dict(NARROW, _delete_=True),
        "model.segmentor.decode_head.in_channels": WIDTHS,
    }
    for name in ("train", "val", "test"):
        options |= {
            f"{name}_dataloader.batch_size": 2,
            f"{name}_dataloader.num_workers": 0,
            f"{name}_dataloader.persistent_workers": False,
        }
    best = train(config, RunSettings(work_dir=str(tmp_path), options=options, data_root=str(mini)))
    assert len(list(tmp_path.glob("best_mIoU_iter_2.pth"))) == 1  # validation chose it
    scores = run_test(
        config,
        str(best),
        RunSettings(work_dir=str(tmp_path / "test"), options=options, data_root=str(mini)),
    )
    assert 0 <= scores["cloudy/mIoU"] <= 100
    assert math.isfinite(scores["cloud_removal/cloudy/PSNR"])

    weights = torch.load(best, weights_only=True)["state_dict"]
    model = MODELS.build(load_config(config, options).model)
    assert weights.keys() == model.state_dict().keys()
