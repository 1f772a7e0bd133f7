"""What cannot be mapped: one clear line, and nothing left behind."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from scene_files import optical_bands, sar_bands, write

from mmcloudseg.apis import ScenePredictor


def optical(folder, bands=None, **profile):
    bands = optical_bands() if bands is None else bands
    return write(folder / "o.tif", bands, **profile)


def sar(folder, bands=None, **profile):
    return write(folder / "s.tif", sar_bands() if bands is None else bands, **profile)


def truncated(path):
    """Half of a file; its header still opens."""
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        file.truncate(size // 2)
    return path


def gcps_only(folder):
    path = sar(folder, crs=None, transform=rasterio.Affine.identity())
    with rasterio.open(path, "r+") as source:
        points = [
            rasterio.control.GroundControlPoint(r, c, 600_000 + c, 5_400_000 - r)
            for r, c in ((0, 0), (0, 100), (100, 0))
        ]
        source.gcps = points, rasterio.crs.CRS.from_epsg(32632)
    return path


HOLED = sar_bands()
HOLED[:] = np.nan
CASES = dict(
    no_overlap=(
        optical,
        lambda f: sar(f, corner=(700_000, 5_400_000)),
        r"s\.tif: .*\(700000, .*\(600000, .*EPSG:32632.*same area",
    ),
    no_crs=(optical, lambda f: sar(f, crs=None), r"s\.tif: .*SAR.*gdal_edit -a_srs"),
    optical_without_crs=(
        lambda f: optical(f, crs=None),
        sar,
        r"o\.tif: .*optical.*gdal_edit -a_srs",
    ),
    control_points=(optical, gcps_only, r"s\.tif: .*control points.*gdalwarp"),
    bands=(
        lambda f: optical(f, optical_bands()[:3]),
        sar,
        r"o\.tif: has 3 .* 4 optical.*--optical-bands",
    ),
    complex=(
        optical,
        lambda f: sar(f, sar_bands().astype(np.complex64)),
        r"s\.tif: .*complex64, .*amplitude",
    ),
    linear=(
        optical,
        lambda f: sar(f, 10 ** (sar_bands() / 10)),
        r"s\.tif: .*0\.794\d*, .*-32\.5 to 0\. .*dB .*--sar-unit",
    ),
    reflectance=(
        lambda f: optical(f, (optical_bands() / 10000).astype(np.float32)),
        sar,
        r"o\.tif: .*0\.8999, .*0 to 10000.*reflectance .*--optical-unit",
    ),
    eight_bit=(
        lambda f: optical(f, (optical_bands() // 100).astype(np.uint8)),
        sar,
        r"o\.tif: .*0 to 89, .*0 to 10000.*8-bit .*--optical-unit",
    ),
    swapped=(
        lambda f: write(f / "o.tif", sar_bands()),
        lambda f: write(f / "s.tif", optical_bands()),
        r"o\.tif: has 2 .* 4 optical.*--optical-bands.*swapped",
    ),
    swapped_same_count=(
        lambda f: write(f / "o.tif", np.concatenate([sar_bands()] * 2)),
        lambda f: write(f / "s.tif", optical_bands()[:2]),
        r"s\.tif: .*1 to 8999, .*-32\.5 to 0\. .*swapped",
    ),
    constant=(
        lambda f: optical(f, np.full((4, 130, 170), 500, np.uint16)),
        sar,
        r"o\.tif: .* 500, .*optical image that shows",
    ),
    empty=(
        lambda f: optical(f, 0 * optical_bands(), nodata=0),
        sar,
        r"o\.tif: .*band 1, 2, 3, 4, .*\(0\).*--nodata",
    ),
    empty_sar=(optical, lambda f: sar(f, HOLED), r"s\.tif: .*band 1, 2, .*NaN.*--nodata"),
    local=(
        optical,
        lambda f: sar(f, crs='LOCAL_CS["here",UNIT["metre",1]]'),
        r"s\.tif: .*local.*gdal_edit -a_srs",
    ),
    missing=(lambda f: str(f / "none.tif"), sar, r"none\.tif: no such file.*Restore"),
    truncated=(lambda f: truncated(optical(f)), sar, r"o\.tif: .* bytes.*copy or download"),
    no_raster=(optical, lambda f: str(f / "text.tif"), r"text\.tif: .*12 bytes.*copy or download"),
)


@pytest.mark.parametrize("case", CASES)
def test_bad_input(pixel_model, tmp_path, case):
    (tmp_path / "text.tif").write_text("not a raster")
    make_optical, make_sar, message = CASES[case]
    files = make_optical(tmp_path), make_sar(tmp_path)
    out = tmp_path / "out" / "map.tif"
    predictor = ScenePredictor(*pixel_model(), device="cpu")
    with pytest.raises(ValueError, match=message) as caught:
        predictor.predict(*files, out, progress=False)
    assert "\n" not in str(caught.value)
    assert not out.parent.exists()


def test_damaged_in_the_middle(pixel_model, tmp_path):
    """A block that no sample touches cannot be decoded: found when its tile is read."""
    blocks = dict(tiled=True, blockxsize=64, blockysize=64, compress="deflate")
    path = optical(tmp_path, optical_bands(1100, 1000), interleave="pixel", **blocks)
    with rasterio.open(path) as source:
        assert source.width * source.height > 1_000_000  # sampled, not read whole
        offset = int(source.get_tag_item("BLOCK_OFFSET_1_1", "TIFF", bidx=1))
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(bytes(500))
    out = tmp_path / "out" / "map.tif"
    predictor = ScenePredictor(*pixel_model(), device="cpu")
    with pytest.raises(ValueError, match=r"o\.tif: .* bytes.*copy or download"):
        predictor.predict(path, sar(tmp_path, sar_bands(1100, 1000)), out, progress=False)
    assert not out.parent.exists()


def test_unit_check_can_be_switched_off(pixel_model, tmp_path):
    dark = optical(tmp_path, (optical_bands() // 100).astype(np.uint8))
    out = tmp_path / "map.tif"
    predictor = ScenePredictor(*pixel_model(), device="cpu")
    predictor.predict(dark, sar(tmp_path), out, progress=False, check_values=False)
    assert out.exists()


def test_folder_that_cannot_be_made(pixel_model, tmp_path, pair):
    (tmp_path / "file").write_text("")
    predictor = ScenePredictor(*pixel_model(), device="cpu")
    with pytest.raises(ValueError, match=r"file: cannot be written .*choose another output path"):
        predictor.predict(*pair, tmp_path / "file" / "map.tif", progress=False)


def test_output_that_is_an_input(pixel_model, pair):
    predictor = ScenePredictor(*pixel_model(), device="cpu")
    with pytest.raises(ValueError, match=r"optical\.tif: is an input.*another name"):
        predictor.predict(*pair, pair[0], progress=False, overwrite=True)


def test_name_of_another_kind(pixel_model, pair, tmp_path):
    predictor = ScenePredictor(*pixel_model(), device="cpu")
    with pytest.raises(ValueError, match=r"map\.png: .*ends in \.tif"):
        predictor.predict(*pair, tmp_path / "map.png", progress=False)


@pytest.mark.parametrize("limit", [2_000, 300_000])
def test_full_disk(pixel_model, tmp_path, limit):
    """A limit on file sizes stands for a full disk: strips fail first, then the whole raster."""
    files = optical(tmp_path, optical_bands(400, 400)), sar(tmp_path, sar_bands(400, 400))
    out = tmp_path / "out" / "map.tif"
    predictor = ScenePredictor(*pixel_model(), device="cpu")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(ValueError, match=r"out.*free there.*Free some space.*output path"):
            predictor.predict(
                *files, out, progress=False, resolution="optical", probabilities=True
            )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert not out.parent.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(tile_size=10**6), r"tile_size 1000000: expected 1 to 8192"),
        (dict(overlap=48), r"48 .*overlap by 48: .*less than the tile"),
        (dict(overlap=-1), r"overlap by -1: .*at least 0"),
        (dict(batch_size=0), r"batch_size 0: expected 1 or more"),
        (dict(resolution="fine"), r"resolution 'fine': expected one of label, optical"),
        (dict(sar_resampling="best"), r"sar_resampling 'best': expected one of nearest"),
    ],
)
def test_settings_that_cannot_be(pixel_model, pair, tmp_path, change, message):
    predictor = ScenePredictor(*pixel_model(), device="cpu")
    with pytest.raises(ValueError, match=message):
        predictor.predict(*pair, tmp_path / "out" / "map.tif", progress=False, **change)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["cuda:97", "warp-drive"])
def test_device_that_is_not_there(pixel_model, name):
    with pytest.raises(ValueError, match=f"device '{name}' .*choose cpu"):
        ScenePredictor(*pixel_model(), device=name)


def test_config_and_checkpoint_that_cannot_be(pixel_model, root, tmp_path):
    config, checkpoint = pixel_model()
    (tmp_path / "empty.pth").write_bytes(b"")
    with pytest.raises(ValueError, match=r"empty\.pth' .*EOFError.*another file"):
        ScenePredictor(config, str(tmp_path / "empty.pth"))
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(ValueError, match=r"list\.pth' .*'list'.*another file"):
        ScenePredictor(config, str(tmp_path / "list.pth"))
    with pytest.raises(ValueError, match=r"m3mcr\.py' .*`model`: name"):
        ScenePredictor(str(root / "configs/_base_/datasets/m3mcr.py"), checkpoint)
    (tmp_path / "broken.py").write_text("model = dict(")
    with pytest.raises(ValueError, match=r"broken\.py' .*line 1"):
        ScenePredictor(str(tmp_path / "broken.py"), checkpoint)


def test_missing_sar_needs_a_model_that_says_what_stands_for_it(pixel_model, pair, tmp_path):
    config, checkpoint = pixel_model()
    text = Path(config).read_text()
    start, stop = text.index("data_preprocessor="), text.index("    backbone=")
    other = tmp_path / "other.py"
    other.write_text(
        f"{text[:start]}data_preprocessor=dict(type='SegDataPreProcessor', mean=[0.], "
        f"std=[1.]),\n{text[stop:]}"
    )
    predictor = ScenePredictor(str(other), checkpoint, device="cpu")
    with pytest.raises(ValueError, match=r"other\.py: .*missing_val.*--sar"):
        predictor.predict(pair[0], None, tmp_path / "map.tif", progress=False)
    predictor.predict(*pair, tmp_path / "map.tif", progress=False)
    assert (tmp_path / "map.tif").exists()
