"""Keys of scores: built, parsed and shown in one way."""

import pytest

from mmcloudseg.evaluation.score_keys import (
    ScoreKey,
    cover_bin_name,
    cover_edges,
    region_title,
)

KEYS = {
    "mIoU": ScoreKey("mIoU"),
    "IoU/water": ScoreKey("IoU", item="water"),
    "cloudy/mIoU": ScoreKey("mIoU", "cloudy"),
    "cloud_free/IoU/bare/rock": ScoreKey("IoU", "cloud_free", "bare/rock"),
    "cover_20-40/mIoU": ScoreKey("mIoU", "cover_20-40"),
    "calibration/ECE": ScoreKey("ECE", metric="calibration"),
    "calibration/cloudy/AURC": ScoreKey("AURC", "cloudy", metric="calibration"),
    "cloud_removal/cloudy/MAE/nir": ScoreKey("MAE", "cloudy", "nir", "cloud_removal"),
    "dataset_north/mIoU": ScoreKey("mIoU", group="dataset_north"),
    "modalities_optical+sar/cloudy/IoU/water": ScoreKey(
        "IoU", "cloudy", "water", group="modalities_optical+sar"
    ),
    "cloud_removal/dataset_a b/cloudy/PSNR": ScoreKey(
        "PSNR", "cloudy", metric="cloud_removal", group="dataset_a b"
    ),
    # A metric with a prefix of its own, and a class that is called like a region.
    "teacher/cloudy/mIoU": ScoreKey("teacher", item="cloudy/mIoU"),
    "IoU/cloudy": ScoreKey("IoU", item="cloudy"),
}


@pytest.mark.parametrize("key", KEYS)
def test_both_ways(key):
    assert ScoreKey.parse(key) == KEYS[key]
    assert str(KEYS[key]) == key


def test_cover_bins():
    assert cover_edges(cover_bin_name(20, 40)) == (20, 40)
    assert cover_edges("cover_0-2.5") == (0, 2.5)
    for other in ("cloudy", "cover_20", "cover_a-b", "all"):
        assert cover_edges(other) is None


def test_titles():
    assert [region_title(region) for region in ("all", "cloud_free", "cover_0-20")] == [
        "all",
        "cloud-free",
        "cover 0-20 %",
    ]
