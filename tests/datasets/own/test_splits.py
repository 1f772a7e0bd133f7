import itertools

import pytest
from affine import Affine
from rasterio.crs import CRS

from mmcloudseg.datasets.own.splits import split
from mmcloudseg.rasters.reading import RasterHeader
from mmcloudseg.utils.errors import DataError


def placed(positions, crs="EPSG:32650"):
    """Samples of 100 x 100 pixels of 10 m with their corners at (column, row) of 1 km."""
    headers = {
        f"n{i}": RasterHeader(
            f"n{i}.tif", 4, (100, 100), crs and CRS.from_string(crs),
            Affine(10, 0, 500_000 + 1000 * x, 0, -10, 4_000_000 - 1000 * y),
        )
        for i, (x, y) in enumerate(positions)
    }  # fmt: skip
    return {name: dict(img_path=f"optical/{name}.tif") for name in headers}, headers


def test_shares_and_order_do_not_depend_on_chance():
    samples, headers = placed([(20 * i, 0) for i in range(20)])
    found, rule = split(samples, headers)
    assert {name: len(members) for name, members in found.items()} == dict(train=16, val=2, test=2)
    assert sorted(itertools.chain(*found.values())) == sorted(samples)
    assert "hash" in rule and "1.5 image sides" in rule
    assert split(dict(reversed(samples.items())), headers)[0] == found


def test_neighbours_stay_together():
    pairs = [(20 * i + j, 0) for i in range(10) for j in (0, 1)]
    found, _ = split(*placed(pairs))
    for members in found.values():
        numbers = sorted(int(name[1:]) for name in members)
        assert all(n + 1 in numbers if n % 2 == 0 else n - 1 in numbers for n in numbers)
    assert all(found.values())


def test_a_gap_of_more_than_half_a_side_parts_samples():
    near = [(40 * i + j * 1.4, 0) for i in range(4) for j in (0, 1)]
    far = [(40 * i + j * 1.6, 0) for i in range(4) for j in (0, 1)]
    samples, headers = placed(near)
    assert len(split(samples, headers, (0.75, 0.125, 0.125))[0]["test"]) == 2
    samples, headers = placed(far)
    assert len(split(samples, headers, (0.75, 0.125, 0.125))[0]["test"]) == 1


@pytest.mark.parametrize("crs", ["EPSG:32650", None])
def test_a_mosaic_is_cut_across_its_longer_side(crs):
    columns = [(x, y) for x in range(10) for y in range(3)]
    found, rule = split(*placed(columns, crs))
    assert "west to east" in rule and "cuts" in rule
    east = {name: [int(n[1:]) // 3 for n in members] for name, members in found.items()}
    assert max(east["train"]) == 7 and set(east["val"]) == {8} and set(east["test"]) == {9}


def test_what_the_user_keeps_together():
    samples, headers = placed([(20 * i, 0) for i in range(12)])
    found, _ = split(samples, headers, together=[["n0", "n5"], ["N1*"]])
    of = {name: part for part, members in found.items() for name in members}
    assert of["n0"] == of["n5"] and of["n1"] == of["n10"] == of["n11"]
    with pytest.raises(DataError, match=r"--together.*'x9'"):
        split(samples, headers, together=[["x9"]])


def test_folders_named_after_splits_are_taken():
    headers = placed([(0, 0), (1, 0), (2, 0)])[1]
    folders = dict(n0="train/optical", n1="validation/optical", n2="test/optical")
    samples = {name: dict(img_path=f"{folder}/{name}.tif") for name, folder in folders.items()}
    found, rule = split(samples, headers)
    assert found == dict(train=["n0"], val=["n1"], test=["n2"]) and "folders" in rule


def test_a_fraction_of_zero_leaves_a_split_empty():
    found, _ = split(*placed([(20 * i, 0) for i in range(16)]), (0.875, 0, 0.125))
    assert [len(found[name]) for name in ("train", "val", "test")] == [14, 0, 2]


def test_too_few_places_are_refused():
    with pytest.raises(DataError, match=r"2 group\(s\).*--fractions"):
        split(*placed([(0, 0), (20, 0)]))


def test_unlocated_samples_are_places_of_their_own():
    samples, headers = placed([(0, 0)] * 10)
    bare = {name: RasterHeader(h.path, 4, h.shape) for name, h in headers.items()}
    found, rule = split(samples, bare)
    assert [len(found[name]) for name in ("train", "val", "test")] == [8, 1, 1]
    assert "as far as they have a georeference" in rule


def test_samples_of_one_place_cannot_be_split():
    with pytest.raises(DataError, match=r"4 samples show one place.*--fractions"):
        split(*placed([(0, 0)] * 4))
