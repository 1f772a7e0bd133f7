"""Scenes of the miniature WHU-OPT-SAR."""

import re

import numpy as np
import pytest
from scipy import ndimage

from mmcloudseg.procedural.materials import Material
from mmcloudseg.procedural.mini_whu import CITY_HECTARES, WHU_CODES, draw_whu_scene, sheet_name
from mmcloudseg.procedural.spectra import material_reflectance
from mmcloudseg.rasters.sensors import GAOFEN1_UM

SIZE = (120, 180)
COUNTS = {"train": 10, "test": 4}


@pytest.fixture(scope="module")
def scenes():
    """The default set."""
    return {
        split: [draw_whu_scene(0, split, index) for index in range(count)]
        for split, count in COUNTS.items()
    }


@pytest.fixture(scope="module")
def all_scenes(scenes):
    return [scene for group in scenes.values() for scene in group]


def test_types_and_shapes(all_scenes):
    for scene in all_scenes:
        assert scene.optical.dtype == scene.sar.dtype == scene.label.dtype == np.uint8
        assert scene.optical.shape == (4, 400, 600) and scene.sar.shape == (400, 600)
        assert scene.label.shape in ((400, 600), (400, 599))
        assert min(scene.optical.min(), scene.sar.min()) >= 1


def test_a_third_of_the_labels_is_one_column_narrower(scenes):
    for group in scenes.values():
        narrow = np.mean([scene.label.shape[1] == 599 for scene in group])
        assert 0.2 < narrow < 0.4


def test_every_class_occurs_in_both_splits_and_background_in_some_scenes(scenes):
    for group in scenes.values():
        present = [set(np.unique(scene.label).tolist()) for scene in group]
        assert set().union(*present) == {0, *WHU_CODES}
        assert 0 < sum(0 in codes for codes in present) <= len(group) / 3
        pixels = np.concatenate([scene.label.ravel() for scene in group])
        shares = [(pixels == code).mean() for code in WHU_CODES]
        assert min(shares) > 0.005 and max(shares) < 0.5
        assert (pixels == 0).mean() < 0.01


@pytest.mark.parametrize("seed", [1, 2])
def test_every_class_occurs_with_other_seeds(seed):
    labels = [draw_whu_scene(seed, "test", index).label for index in range(COUNTS["test"])]
    assert set(np.concatenate([label.ravel() for label in labels])) == {0, *WHU_CODES}


def test_the_grey_values_use_the_bytes(all_scenes):
    optical = np.stack([scene.optical for scene in all_scenes])
    for band in range(4):
        low, high = np.percentile(optical[:, band], (1, 99))
        assert high - low > 80
    assert (optical == 255).mean() < 0.03
    sar = np.stack([scene.sar for scene in all_scenes])
    assert 80 < np.median(sar) < 170
    assert np.isin(sar, (1, 255)).mean() < 0.01


def test_bands_are_red_green_blue_and_near_infrared(all_scenes):
    """Crops and forest reflect most in the last band, water least."""
    water, woods = (
        np.mean(
            [s.optical[:, :, :599][:, s.label[:, :599] == code].mean(axis=1) for s in chosen],
            axis=0,
        )
        for code in (40, 50)
        for chosen in [[s for s in all_scenes if (s.label == code).any()]]
    )
    assert woods[3] > 2 * woods[:3].max()
    assert water[3] < 0.5 * water[:3].min()
    lush, sand = material_reflectance(GAOFEN1_UM)[[Material.LUSH_CROP, Material.SAND]]
    assert lush.argmax() == 3 and list(np.argsort(sand)) == [2, 1, 0, 3]


def test_sar_tells_water_and_towns_apart(all_scenes):
    sar = np.concatenate([s.sar[:, : s.label.shape[1]].ravel() for s in all_scenes]).astype(float)
    label = np.concatenate([s.label.ravel() for s in all_scenes])
    water, fields, city, village = (sar[label == code].mean() for code in (40, 10, 20, 30))
    assert water + 40 < fields < min(city, village) - 10


def test_labels_lie_where_the_images_show_them(scenes):
    agreement = {-8: [], 0: [], 8: []}
    for scene in scenes["train"]:
        width = scene.label.shape[1]
        dark = scene.optical[3, :, :width] < 25
        water = (scene.label == 40)[:, 8:-8]
        if 0.05 < water.mean() < 0.95:
            for shift, values in agreement.items():
                values.append((np.roll(dark, shift, axis=1)[:, 8:-8] == water).mean())
    means = {shift: np.mean(values) for shift, values in agreement.items()}
    assert means[0] > 0.95
    assert means[0] > max(means[-8], means[8]) + 0.02


def test_roads_show_in_the_image(all_scenes):
    """Roads through woods are darker in the near infrared, and brighter in red."""
    differences, roughness = [], []
    for scene in all_scenes:
        width = scene.label.shape[1]
        road = scene.label == 60
        beside = ndimage.binary_dilation(road, iterations=6) & (scene.label == 50)
        on = road & ndimage.binary_dilation(beside, iterations=6)
        if on.sum() > 50 and beside.sum() > 50:
            image = scene.optical[:, :, :width].astype(float)
            differences.append(image[:, on].mean(axis=1) - image[:, beside].mean(axis=1))
        image = scene.optical[0, :, :width].astype(float)
        town = np.isin(scene.label, (20, 30))
        roughness.append(image[road].std() / image[town].std())
    assert len(differences) > 5
    # Paved all along, where a town has roofs and yards.
    assert max(roughness) < 0.6
    red, _, _, nir = np.mean(differences, axis=0)
    assert red > 15 and nir < -20


def test_cities_are_large_and_villages_small(all_scenes):
    largest_village = 0
    for scene in all_scenes:
        villages, count = ndimage.label(scene.label == 30)
        if count:
            largest_village = max(largest_village, np.bincount(villages.ravel())[1:].max())
        city = (scene.label == 20).sum() * 25 / 10_000
        # Roads take a little of the settlements' area, and the column that is missing.
        assert city == 0 or city > 0.85 * CITY_HECTARES
    assert 0.04 * CITY_HECTARES < largest_village * 25 / 10_000 < CITY_HECTARES


def test_same_arguments_same_pixels_and_nothing_else():
    def pixels(*arguments):
        scene = draw_whu_scene(*arguments, size=SIZE)
        return scene.optical.tobytes() + scene.sar.tobytes() + scene.label.tobytes()

    assert pixels(0, "train", 1) == pixels(0, "train", 1)
    others = {pixels(1, "train", 1), pixels(0, "test", 1), pixels(0, "train", 2)}
    assert len(others | {pixels(0, "train", 1)}) == 4


def test_names_are_map_sheets_in_pairs():
    names = {split: [sheet_name(split, index) for index in range(288)] for split in COUNTS}
    assert names["train"][:3] == ["NH49E001001", "NH49E001002", "NH49E001003"]
    assert names["train"][24] == "NH49E003001" and names["test"][0] == "NH50E001001"
    every = names["train"] + names["test"]
    assert len(set(every)) == 2 * 288
    blocks = []
    for name in every:
        row, column = map(int, re.fullmatch(r"NH(?:49|50)E(\d{3})(\d{3})", name).groups())
        assert 1 <= row <= 24 and 1 <= column <= 24
        blocks.append((name[:4], (row - 1) // 2, (column - 1) // 2))
    assert all(blocks.count(block) == 2 for block in set(blocks))


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"split .*'train', .*found 'val' and 0"):
        draw_whu_scene(0, "val", 0)
    with pytest.raises(ValueError, match=r"index from 0 to 287, found 'train' and 288"):
        draw_whu_scene(0, "train", 288)
    with pytest.raises(ValueError, match="seed from 0, found -1"):
        draw_whu_scene(-1, "train", 0)
