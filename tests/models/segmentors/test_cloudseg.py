from __future__ import annotations

import pytest
import torch
from mmseg.registry import MODELS
from torch import nn

from mmcloudseg.models.segmentors.windows import window_spans


def test_last_window_is_shifted_inside_and_counts_past_its_nominal_start():
    assert window_spans(300, 160, 80) == [(0, 0, 160), (80, 80, 240), (140, 160, 300)]
    assert window_spans(320, 160, 80) == [(0, 0, 160), (80, 80, 240), (160, 160, 320)]
    assert window_spans(160, 160, 80) == [(0, 0, 160)]


@pytest.mark.parametrize(("length", "window", "stride"), [(300, 160, 80), (517, 128, 100)])
def test_windows_cover_every_pixel(length, window, stride):
    seen = torch.zeros(length)
    for start, used, stop in window_spans(length, window, stride):
        assert 0 <= start <= used < stop <= length
        assert stop - start == window
        seen[used:stop] += 1
    assert seen.min() >= 1


def pixelwise(small_models, **test_cfg):
    cfg = small_models.student
    cfg.test_cfg.update(test_cfg)
    model = MODELS.build(cfg).eval()
    model.extract_feat = lambda x: (x,)
    model.decode_head.forward = lambda f: f[0][:, [0, 1, 2, 3, 4, 5]]
    model.auxiliary_head.forward = lambda f: f[0][:, [5, 4, 3, 2]]
    return model


@torch.no_grad()
@pytest.mark.parametrize("window_batch", [1, 3, 16, 100])
def test_windows_put_together_are_the_image(small_models, batch, window_batch):
    model = pixelwise(small_models, window_batch=window_batch)
    inputs, _ = batch(2, 300)
    maps = model.slide_inference(inputs, [{}])
    torch.testing.assert_close(maps[:, :6], inputs)
    torch.testing.assert_close(maps[:, 6:], inputs[:, [5, 4, 3, 2]])


@torch.no_grad()
def test_windows_in_batches_equal_windows_one_by_one(small_models, batch):
    inputs, _ = batch(2, 300)
    small_models.student.test_cfg.window_batch = 1
    model = MODELS.build(small_models.student).eval()
    one = model.slide_inference(inputs, [{}])
    model.test_cfg.window_batch = 7
    torch.testing.assert_close(model.slide_inference(inputs, [{}]), one, rtol=0, atol=1e-5)


@torch.no_grad()
def test_prediction_is_on_the_label_grid(small_models, batch):
    inputs, samples = batch(2, 300)
    results = MODELS.build(small_models.student).eval()(inputs, samples, mode="predict")
    for result in results:
        assert result.pred_sem_seg.data.shape == (1, 90, 90)
        assert result.seg_logits.data.shape == (6, 90, 90)
        assert result.pred_cloud_free.data.shape == (4, 300, 300)


@torch.no_grad()
def test_cloud_free_image_only_when_asked_for(small_models, batch):
    small_models.student.test_cfg.cloud_free = False
    model = MODELS.build(small_models.student).eval()
    model.auxiliary_head.forward = None  # would fail if it were called
    inputs, samples = batch(1, 160)
    (result,) = model(inputs, samples, mode="predict")
    assert "pred_cloud_free" not in result


@torch.no_grad()
def test_a_caller_decides_about_the_cloud_free_image(small_models, batch):
    model = MODELS.build(small_models.student).eval()
    inputs, _ = batch(1, 160)
    with_image = model.encode_decode(inputs, [{}])
    assert with_image.shape[1] == 6 + 4
    assert torch.equal(model.encode_decode(inputs, [{}], cloud_free=False), with_image[:, :6])
    model.test_cfg.cloud_free = False
    assert torch.equal(model.encode_decode(inputs, [{}], cloud_free=True), with_image)
    assert model.encode_decode(inputs, [{}]).shape[1] == 6
    assert model.test_cfg.cloud_free is False


@torch.no_grad()
def test_padding_and_flip_are_undone(small_models, batch):
    model = pixelwise(small_models, mode="whole")
    inputs, samples = batch(1, 160)
    padded = nn.functional.pad(inputs.flip(3), (0, 32, 0, 16))
    samples[0].set_metainfo(
        dict(img_padding_size=(0, 32, 0, 16), flip=True, flip_direction="horizontal")
    )
    (result,) = model.predict(padded, samples)
    torch.testing.assert_close(result.pred_cloud_free.data, inputs[0, [5, 4, 3, 2]])


def test_image_smaller_than_the_window(small_models, batch):
    model = MODELS.build(small_models.student).eval()
    inputs, samples = batch(1, 130)
    with pytest.raises(ValueError, match=r"a.tif is 130 x 130 .*test_cfg\.crop_size"):
        model(inputs, samples, mode="predict")


def test_heads_take_their_channels_from_the_backbone(small_models):
    model = MODELS.build(small_models.student)
    assert model.decode_head.in_channels == [16, 32, 80, 128]
    assert model.auxiliary_head.in_channels == [16, 32, 80, 128]


def test_asking_for_an_image_that_nothing_makes(small_models):
    small_models.teacher.test_cfg.cloud_free = True
    with pytest.raises(
        ValueError, match=r"test_cfg\.cloud_free=True .*auxiliary_head.*CloudRemovalHead"
    ):
        MODELS.build(small_models.teacher)


@torch.no_grad()
def test_without_samples(small_models, batch):
    inputs, _ = batch(1, 160)
    (result,) = MODELS.build(small_models.student).eval()(inputs, mode="predict")
    assert result.pred_sem_seg.data.shape == (1, 160, 160)
