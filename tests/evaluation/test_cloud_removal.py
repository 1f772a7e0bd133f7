"""CloudRemovalMetric: values by hand, regions, absent pixels, errors."""

import math

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.registry import METRICS
from mmseg.structures import SegDataSample
from torchmetrics.functional.image import structural_similarity_index_measure

KEYS = ("MAE", "RMSE", "PSNR", "SSIM", "spectral_angle_deg")


def make_sample(prediction, target, mask=None):
    sample = SegDataSample()
    sample.pred_cloud_free = PixelData(data=torch.as_tensor(prediction))
    sample.gt_cloud_free = PixelData(data=torch.as_tensor(target))
    if mask is not None:
        sample.gt_cloud_mask = PixelData(data=torch.as_tensor(mask)[None])
    sample.set_metainfo(dict(sample_name="place"))
    return sample.to_dict()


def evaluate(samples, **kwargs):
    metric = METRICS.build(dict(type="CloudRemovalMetric", **kwargs))
    for sample in samples:
        metric.process({}, [sample])
    assert len(metric.results) == len(samples)
    return metric.evaluate(len(samples))


@pytest.fixture
def half_cloudy():
    """Target 0.5 everywhere; 0.1 off in band 0 where clear, 0.4 off in both where cloudy."""
    target = torch.full((2, 8, 8), 0.5)
    prediction = target.clone()
    prediction[0, :, :4] += 0.1
    prediction[:, :, 4:] += 0.4
    mask = torch.zeros(8, 8, dtype=torch.uint8)
    mask[:, 4:] = 1
    return prediction, target, mask


def test_values_by_hand(half_cloudy):
    metrics = evaluate([make_sample(*half_cloudy)])
    tolerance = dict(rel=1e-6)
    assert metrics["cloud_removal/cloud_free/MAE"] == pytest.approx(0.05, **tolerance)
    assert metrics["cloud_removal/cloudy/MAE"] == pytest.approx(0.4, **tolerance)
    assert metrics["cloud_removal/MAE"] == pytest.approx(0.225, **tolerance)
    assert metrics["cloud_removal/cloud_free/RMSE"] == pytest.approx(math.sqrt(0.005), **tolerance)
    assert metrics["cloud_removal/RMSE"] == pytest.approx(math.sqrt(0.0825), **tolerance)
    assert metrics["cloud_removal/cloudy/PSNR"] == pytest.approx(-10 * math.log10(0.16), rel=1e-6)
    assert metrics["cloud_removal/PSNR"] == pytest.approx(-10 * math.log10(0.0825), rel=1e-6)
    angle = math.degrees(math.atan2(0.6, 0.5) - math.pi / 4)
    assert metrics["cloud_removal/cloud_free/spectral_angle_deg"] == pytest.approx(angle, rel=1e-6)
    # A brighter spectrum of the same shape has no angle.
    assert metrics["cloud_removal/cloudy/spectral_angle_deg"] == pytest.approx(0, abs=1e-5)
    assert metrics["cloud_removal/spectral_angle_deg"] == pytest.approx(angle / 2, rel=1e-5)


def test_ssim_is_the_map_averaged_over_a_region():
    generator = torch.Generator().manual_seed(0)
    target = torch.rand(3, 40, 40, generator=generator, dtype=torch.float64)
    prediction = target.clone()
    prediction[:, :, 20:] = torch.rand(3, 40, 20, generator=generator, dtype=torch.float64)
    mask = torch.zeros(40, 40, dtype=torch.uint8)
    mask[:, 20:] = 1
    metrics = evaluate([make_sample(prediction, target, mask)])
    whole = structural_similarity_index_measure(prediction[None], target[None], data_range=1.0)
    assert metrics["cloud_removal/SSIM"] == pytest.approx(float(whole), rel=1e-5)
    clear, cloudy = (metrics[f"cloud_removal/{r}/SSIM"] for r in ("cloud_free", "cloudy"))
    assert (clear + cloudy) / 2 == pytest.approx(float(whole), rel=1e-5)
    assert clear > 0.8 and cloudy < 0.2


def test_psnr_is_averaged_over_images_not_pooled():
    target = torch.zeros(2, 8, 8)
    samples = [make_sample(target + e, target) for e in (0.1, 0.01)]
    assert evaluate(samples)["cloud_removal/PSNR"] == pytest.approx(30, rel=1e-6)


def test_equal_images_count_with_the_cap():
    image = torch.rand(2, 8, 8)
    metrics = evaluate([make_sample(image, image)])
    assert metrics["cloud_removal/PSNR"] == 100.0
    assert metrics["cloud_removal/MAE"] == 0.0
    assert metrics["cloud_removal/SSIM"] == pytest.approx(1.0)


def test_images_without_such_pixels_are_left_out(half_cloudy):
    prediction, target, mask = half_cloudy
    clear = make_sample(target + 0.2, target, torch.zeros_like(mask))
    metrics = evaluate([make_sample(prediction, target, mask), clear])
    assert metrics["cloud_removal/cloudy/MAE"] == pytest.approx(0.4, rel=1e-6)
    assert metrics["cloud_removal/cloud_free/MAE"] == pytest.approx((0.05 + 0.2) / 2, rel=1e-6)
    only_clear = evaluate([clear])
    assert all(math.isnan(only_clear[f"cloud_removal/cloudy/{key}"]) for key in KEYS)


def test_without_a_mask_only_the_whole_image(half_cloudy):
    metrics = evaluate([make_sample(*half_cloudy[:2])])
    assert metrics["cloud_removal/MAE"] == pytest.approx(0.225, rel=1e-6)
    assert math.isnan(metrics["cloud_removal/cloudy/MAE"])


def test_padded_pixels_are_nowhere(half_cloudy):
    prediction, target, mask = half_cloudy
    mask[:, 4:] = 255
    metrics = evaluate([make_sample(prediction, target, mask)])
    assert metrics["cloud_removal/MAE"] == metrics["cloud_removal/cloud_free/MAE"]


def test_pixels_without_a_spectrum_have_no_angle():
    target = torch.full((2, 8, 8), 0.5)
    target[:, 0] = 0
    prediction = torch.full((2, 8, 8), 0.25)
    metrics = evaluate([make_sample(prediction, target)])
    assert metrics["cloud_removal/spectral_angle_deg"] == pytest.approx(0, abs=1e-5)
    dark = torch.zeros(2, 8, 8)
    alone = evaluate([make_sample(prediction, dark)])
    assert math.isnan(alone["cloud_removal/spectral_angle_deg"])
    one_band = evaluate([make_sample(prediction[:1], target[:1])])
    assert math.isnan(one_band["cloud_removal/spectral_angle_deg"])


def test_a_broken_reconstruction_shows():
    image = torch.full((2, 8, 8), 0.5)
    broken = image.clone()
    broken[0, 0, 0] = math.nan
    metrics = evaluate([make_sample(image, image), make_sample(broken, image)])
    assert all(math.isnan(metrics[f"cloud_removal/{key}"]) for key in KEYS)


def test_errors_by_band(half_cloudy):
    metrics = evaluate([make_sample(*half_cloudy)], band_names=("red", "nir"))
    assert metrics["cloud_removal/cloud_free/MAE/red"] == pytest.approx(0.1, rel=1e-6)
    assert metrics["cloud_removal/cloud_free/MAE/nir"] == 0.0
    assert metrics["cloud_removal/MAE/nir"] == pytest.approx(0.2, rel=1e-6)


def test_half_precision_is_scored_in_double(half_cloudy):
    prediction, target, mask = half_cloudy
    metrics = evaluate([make_sample(prediction.half(), target, mask)])
    assert metrics["cloud_removal/cloudy/MAE"] == pytest.approx(0.4, abs=3e-4)


def test_errors(half_cloudy):
    sample = make_sample(*half_cloudy)
    unasked = {k: v for k, v in sample.items() if k != "pred_cloud_free"}
    with pytest.raises(ValueError, match=r"place: .*model\.test_cfg\.cloud_free=True"):
        evaluate([unasked])
    untruthful = {k: v for k, v in sample.items() if k != "gt_cloud_free"}
    with pytest.raises(ValueError, match=r"place: no gt_cloud_free.*LoadRasters"):
        evaluate([untruthful])
    with pytest.raises(
        ValueError, match=r"pred_cloud_free .*\(2, 8, 8\), gt_cloud_free \(3, 8, 8\)"
    ):
        evaluate([make_sample(np.zeros((2, 8, 8)), np.zeros((3, 8, 8)))])
    with pytest.raises(ValueError, match=r"place: .*\(5, 8\).* 6 x 6.*crops"):
        evaluate([make_sample(np.zeros((2, 5, 8)), np.zeros((2, 5, 8)))])
    with pytest.raises(ValueError, match=r"place: 2 bands.*band_names .*1: red.*[Nn]ame"):
        evaluate([sample], band_names=("red",))


def test_table_counts_the_images_of_a_region(half_cloudy, monkeypatch):
    lines = []
    monkeypatch.setattr(
        "mmcloudseg.evaluation.metrics.cloud_removal.print_log",
        lambda message, logger: lines.append(message),
    )
    prediction, target, mask = half_cloudy
    clear = make_sample(prediction, target, torch.zeros_like(mask))
    evaluate([make_sample(*half_cloudy), clear])
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in lines[0].splitlines()]
    counts = {c[0]: c[1] for c in cells if len(c) > 2}
    assert (counts["all"], counts["cloud-free"], counts["cloudy"]) == ("2", "2", "1")
