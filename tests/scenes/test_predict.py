from __future__ import annotations

import json
import warnings
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from mmengine.config import Config
from mmseg.registry import MODELS
from rasterio.enums import ColorInterp
from rasterio.warp import transform as to_crs
from scene_files import CORNER, UTM, optical_bands, sar_bands, write

from mmcloudseg.scenes.predictor import ScenePredictor
from mmcloudseg.utils.errors import DataError

NODATA = 255


def predict(pixel_model, optical, sar, out, scale=0.3, **settings):
    return ScenePredictor(*pixel_model(scale), device="cpu").predict(
        optical, sar, out, progress=False, **settings
    )


def read(path):
    with rasterio.open(path) as source:
        return source.read()


def whole_logits(pixel_model, optical, sar, scale=0.3):
    """The network on the whole image at once."""
    config, checkpoint = pixel_model(scale)
    model = MODELS.build(Config.fromfile(config).model).eval()
    model.load_state_dict(torch.load(checkpoint, weights_only=True)["state_dict"])
    image = np.concatenate([optical.astype(np.float32), sar])
    with torch.no_grad():
        inputs = model.data_preprocessor.normalize(torch.from_numpy(image)[None])
        return model.decode_head((inputs,))[0]


def test_tiled_equals_whole_on_the_optical_grid(pixel_model, pair, tmp_path):
    report = predict(
        pixel_model,
        *pair,
        tmp_path / "map.tif",
        resolution="optical",
        probabilities=True,
        confidence=True,
    )
    expected = whole_logits(pixel_model, optical_bands(), sar_bands()).softmax(0)
    found = read(tmp_path / "map_probabilities.tif") / 10000
    assert np.abs(found - expected.numpy()).max() < 0.5e-4 + 1e-5  # half a step of storage
    labels = read(tmp_path / "map.tif")[0]
    best = expected.topk(2, 0).values
    clear = (best[0] - best[1] > 1e-4).numpy()
    assert clear.mean() > 0.99
    assert (labels == expected.argmax(0).numpy())[clear].all()
    percent = read(tmp_path / "map_confidence.tif")[0]
    assert np.abs(percent - 100 * best[0].numpy()).max() <= 0.501
    assert report.tiles == report.mapped_tiles == 20
    assert report.megapixels == pytest.approx(0.0221)


def test_label_grid_is_that_of_mmseg_after_resizing_the_logits(pixel_model, pair, tmp_path):
    predict(pixel_model, *pair, tmp_path / "map.tif")
    logits = whole_logits(pixel_model, optical_bands(), sar_bands())[None].double()
    expected = torch.nn.functional.interpolate(logits, (39, 51), mode="bilinear")[0]
    best = expected.topk(2, 0).values
    clear = (best[0] - best[1] > 1e-3).numpy()
    labels = read(tmp_path / "map.tif")[0]
    assert labels.shape == (39, 51)
    assert (labels == expected.argmax(0).numpy())[clear].all()


def test_grid_of_the_map(pixel_model, pair, tmp_path):
    predict(pixel_model, *pair, tmp_path / "label.tif", cloud_free=False)
    predict(pixel_model, *pair, tmp_path / "optical.tif.tif", resolution="optical")
    with rasterio.open(tmp_path / "label.tif") as source:
        assert source.crs == UTM
        assert source.shape == (39, 51)
        assert source.transform.almost_equals(Affine(10, 0, CORNER[0], 0, -10, CORNER[1]), 1e-9)
    with rasterio.open(tmp_path / "optical.tif.tif") as source:
        assert source.shape == (130, 170)
        assert source.transform == Affine(3, 0, CORNER[0], 0, -3, CORNER[1])


def test_output_is_a_cog_with_legend_and_provenance(pixel_model, pair, tmp_path):
    from rio_cogeo.cogeo import cog_validate

    predict(pixel_model, *pair, tmp_path / "map.tif", probabilities=True)
    for name in ("map", "map_probabilities"):
        valid, errors, warnings = cog_validate(tmp_path / f"{name}.tif")
        assert valid and not errors and not warnings, (errors, warnings)
    with rasterio.open(tmp_path / "map.tif") as source:
        assert source.nodata == NODATA
        assert source.colormap(1)[0] == (0, 100, 0, 255)
        tags = source.tags()
        assert tags["class_0"] == "forest" and tags["class_5"] == "water"
        assert tags["model_config"] == "pixel_0.3.py"
        assert len(tags["checkpoint_sha256"]) == 64
        assert tags["optical"] == "optical.tif" and tags["sar"] == "sar.tif"
        assert tags["TIFFTAG_SOFTWARE"].startswith("mmcloudseg ")
    sidecar = (tmp_path / "map.tif.aux.xml").read_text()
    assert sidecar.index("forest") < sidecar.index("water")
    legend = ElementTree.parse(tmp_path / "map.qml").findall(".//paletteEntry")
    assert [entry.attrib for entry in legend][5] == dict(
        value="5", label="water", color="#0064c8", alpha="255"
    )
    with rasterio.open(tmp_path / "map_probabilities.tif") as source:
        assert source.scales == (1e-4,) * 6
        assert source.descriptions[5] == "probability of water"


def test_large_output_has_overviews(pixel_model, tmp_path):
    optical = write(tmp_path / "o.tif", optical_bands(20, 1200), nodata=0)
    sar = write(tmp_path / "s.tif", sar_bands(20, 1200))
    predict(pixel_model, optical, sar, tmp_path / "map.tif", resolution="optical")
    with rasterio.open(tmp_path / "map.tif") as source:
        assert source.overviews(1)


def test_nothing_but_the_output_is_left(pixel_model, pair, tmp_path):
    out = tmp_path / "out"
    report = predict(
        pixel_model, *pair, out / "map.tif", confidence=True, probabilities=True, quicklook=True
    )
    assert {path.name for path in out.iterdir()} == {
        "map.tif",
        "map.tif.aux.xml",
        "map.qml",
        "map.png",
        "map_confidence.tif",
        "map_probabilities.tif",
    }
    assert report.files["quicklook"].read_bytes()[:4] == b"\x89PNG"


def test_nodata_stays_nodata_and_is_not_mapped(pixel_model, tmp_path):
    bands = optical_bands()
    bands[:, :, 90:] = 0
    bands[:, 10:20, 10:30] = 0
    bands[0, 50:60, 50:60] = 0  # dark in one band: data
    optical = write(tmp_path / "o.tif", bands, nodata=0)
    sar = write(tmp_path / "s.tif", sar_bands())
    report = predict(pixel_model, optical, sar, tmp_path / "m.tif", resolution="optical")
    labels = read(tmp_path / "m.tif")[0]
    empty = (bands == 0).all(axis=0)
    assert (labels[empty] == NODATA).all()
    assert (labels[~empty] < 6).all()
    assert report.mapped_tiles == 12  # of five columns of tiles, those from pixel 96 hold nothing
    assert report.tiles == 20
    # What the tiles without data would have added changes nothing.
    full = write(tmp_path / "full.tif", np.where(bands == 0, optical_bands(), bands), nodata=0)
    predict(pixel_model, full, sar, tmp_path / "f.tif", resolution="optical")
    same = ~empty & (bands != 0).all(axis=0)
    assert (read(tmp_path / "f.tif")[0][same] == labels[same]).all()


def test_declared_nodata_can_be_replaced(pixel_model, tmp_path):
    bands = optical_bands()
    bands[:, :40] = 7
    optical = write(tmp_path / "o.tif", bands)
    sar = write(tmp_path / "s.tif", sar_bands())
    predict(pixel_model, optical, sar, tmp_path / "m.tif", resolution="optical", nodata=7)
    labels = read(tmp_path / "m.tif")[0]
    assert (labels[:40] == NODATA).all() and (labels[40:] < 6).all()


@pytest.mark.parametrize("order", ["sar_finer", "sar_coarser"])
def test_checkerboard_in_another_grid_lands_where_it_should(tmp_path, pixel_model, order):
    """Only SAR tells the classes apart; its squares of 60 m lie in another UTM zone's grid."""
    pixel = 2.0 if order == "sar_finer" else 5.0
    config, checkpoint = pixel_model(0.3)
    state = torch.load(checkpoint, weights_only=True)
    weight = state["state_dict"]["decode_head.conv_seg.weight"]
    weight.zero_()
    weight[5, 4] = 100.0  # water where VV is high
    state["state_dict"]["decode_head.conv_seg.bias"][:] = torch.tensor([50.0, 0, 0, 0, 0, 0])
    torch.save(state, checkpoint)
    optical = write(tmp_path / "o.tif", optical_bands())

    neighbour = "EPSG:32633"
    (east,), (north,) = to_crs(UTM, neighbour, [CORNER[0] + 255], [CORNER[1] - 195])
    size = int(1200 / pixel)
    corner = (round(east) - 600, round(north) + 600)
    rows, columns = np.mgrid[:size, :size]
    step = round(60 / pixel)
    board = ((rows // step + columns // step) % 2).astype(bool)
    vv = np.where(board, -1.0, -24.0)
    sar = write(
        tmp_path / "s.tif",
        np.stack([vv, vv]).astype(np.float32),
        crs=neighbour,
        corner=corner,
        pixel=pixel,
    )
    predictor = ScenePredictor(config, checkpoint, device="cpu")
    predictor.predict(
        optical, sar, tmp_path / "m.tif", progress=False, resolution="optical", check_values=False
    )
    labels = read(tmp_path / "m.tif")[0]
    rows, columns = np.mgrid[:130, :170]
    easts, norths = to_crs(
        UTM,
        neighbour,
        (CORNER[0] + 3 * (columns.ravel() + 0.5)).tolist(),
        (CORNER[1] - 3 * (rows.ravel() + 0.5)).tolist(),
    )
    across, down = (np.array(easts) - corner[0]) / 60, (corner[1] - np.array(norths)) / 60
    expected = ((np.floor(across) + np.floor(down)) % 2).reshape(130, 170).astype(bool)
    # Within a SAR pixel of an edge either side is right.
    margin = 1.2 * pixel / 60
    inside = (np.abs(across - np.round(across)) > margin) & (
        np.abs(down - np.round(down)) > margin
    )
    inside = inside.reshape(130, 170)
    assert inside.mean() > 0.5
    assert ((labels == 5) == expected)[inside].all()


def test_sar_on_the_same_grid_is_not_warped_and_a_shifted_one_follows_its_coordinates(
    pixel_model, tmp_path
):
    optical = write(tmp_path / "o.tif", optical_bands())
    bands = sar_bands(150, 200)
    same = write(tmp_path / "same.tif", bands[:, 10:140, 20:190])
    wider = write(tmp_path / "wider.tif", bands, corner=(CORNER[0] - 60, CORNER[1] + 30))
    predict(pixel_model, optical, same, tmp_path / "a.tif", resolution="optical")
    predict(pixel_model, optical, wider, tmp_path / "b.tif", resolution="optical")
    assert (read(tmp_path / "a.tif") == read(tmp_path / "b.tif")).all()


def test_sar_that_covers_a_part_is_said(pixel_model, tmp_path):
    optical = write(tmp_path / "o.tif", optical_bands())
    sar = write(tmp_path / "s.tif", sar_bands(130, 85))
    with pytest.warns(UserWarning, match="covers 50% of the optical image"):
        predict(pixel_model, optical, sar, tmp_path / "m.tif")
    assert (read(tmp_path / "m.tif") < 6).all()


def test_without_sar_it_is_missing_as_in_robustness(pixel_model, pair, tmp_path):
    predict(pixel_model, pair[0], None, tmp_path / "m.tif", resolution="optical")
    zeros = np.full_like(sar_bands(), -100.0)  # below the range: 0 after scaling
    expected = whole_logits(pixel_model, optical_bands(), zeros).argmax(0).numpy()
    assert (read(tmp_path / "m.tif")[0] == expected).mean() > 0.999
    with rasterio.open(tmp_path / "m.tif") as source:
        assert source.tags()["sar"] == "none"


def test_scene_smaller_than_a_tile(pixel_model, tmp_path):
    optical = write(tmp_path / "o.tif", optical_bands(20, 30))
    sar = write(tmp_path / "s.tif", sar_bands(20, 30))
    predict(pixel_model, optical, sar, tmp_path / "m.tif", resolution="optical")
    expected = whole_logits(pixel_model, optical_bands(20, 30), sar_bands(20, 30)).argmax(0)
    assert (read(tmp_path / "m.tif")[0] == expected.numpy()).mean() > 0.99


def test_bands_are_chosen_and_ordered(pixel_model, pair, tmp_path):
    more = np.concatenate([optical_bands()[::-1], optical_bands(seed=9)])
    optical = write(tmp_path / "more.tif", more, nodata=0)
    predict(pixel_model, *pair, tmp_path / "a.tif")
    predict(pixel_model, optical, pair[1], tmp_path / "b.tif", optical_bands=[4, 3, 2, 1])
    assert (read(tmp_path / "a.tif") == read(tmp_path / "b.tif")).all()


def test_what_is_there_is_not_replaced_unless_asked(pixel_model, pair, tmp_path):
    out = tmp_path / "map.tif"
    out.write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"map\.tif: is there already.*--overwrite"):
        predict(pixel_model, *pair, out)
    assert out.read_bytes() == b"mine"
    predict(pixel_model, *pair, out, overwrite=True)
    assert read(out).shape == (1, 39, 51)


def test_an_error_midway_leaves_nothing_unless_resumable(pixel_model, pair, tmp_path, monkeypatch):
    out = tmp_path / "out" / "map.tif"
    predictor = ScenePredictor(*pixel_model(), device="cpu")
    calls = []
    real = type(predictor.network).__call__

    def fails_later(self, *args):
        calls.append(1)
        if len(calls) == 4:
            raise DataError("optical.tif: cannot be read")
        return real(self, *args)

    monkeypatch.setattr(type(predictor.network), "__call__", fails_later)
    with pytest.raises(DataError):
        predictor.predict(*pair, out, progress=False)
    assert not out.parent.exists()
    calls.clear()
    with pytest.raises(DataError):
        predictor.predict(*pair, out, progress=False, resume=True)
    kept = out.parent / ".map.tif.partial"
    assert (kept / "map_000000.tif").is_file() and not out.exists()
    report = predictor.predict(*pair, out, progress=False, resume=True)
    assert report.mapped_tiles == 10  # the last two of four rows of tiles
    assert {path.name for path in out.parent.iterdir()} == {
        "map.tif",
        "map.tif.aux.xml",
        "map.qml",
    }
    predict(pixel_model, *pair, tmp_path / "whole.tif")
    assert (read(out) == read(tmp_path / "whole.tif")).all()


def test_another_run_cannot_be_resumed(pixel_model, pair, tmp_path):
    out = tmp_path / "map.tif"
    predict(pixel_model, *pair, out)
    folder = tmp_path / ".map.tif.partial"
    folder.mkdir()
    (folder / "state.json").write_text(json.dumps(dict(version="0")))
    with pytest.raises(DataError, match=r"another version .*without --resume"):
        predict(pixel_model, *pair, out, resume=True, overwrite=True)


def test_model_without_cloud_removal_says_so(pixel_model, pair, tmp_path):
    with pytest.raises(ValueError, match="makes no cloud-free image"):
        predict(pixel_model, *pair, tmp_path / "m.tif", cloud_free=True)


def test_stopped_just_before_the_map_it_can_be_resumed(pixel_model, pair, tmp_path, monkeypatch):
    from mmcloudseg.scenes import predictor as scenes

    real = scenes.move_raster

    def stopped(path, out):
        if out.name == "map.tif":
            raise KeyboardInterrupt
        real(path, out)

    out = tmp_path / "map.tif"
    monkeypatch.setattr(scenes, "move_raster", stopped)
    with pytest.raises(KeyboardInterrupt):
        predict(pixel_model, *pair, out, confidence=True)
    assert (tmp_path / "map_confidence.tif").exists() and not out.exists()
    monkeypatch.setattr(scenes, "move_raster", real)
    report = predict(pixel_model, *pair, out, confidence=True, resume=True)
    assert report.mapped_tiles == 0 and out.exists()
    assert not (tmp_path / ".map.tif.partial").exists()


def test_resumed_with_an_edited_config_is_refused(pixel_model, pair, tmp_path, monkeypatch):
    from mmcloudseg.scenes import predictor as scenes

    config, checkpoint = pixel_model()
    out = tmp_path / "map.tif"

    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(scenes, "write_cog", stopped)
        ScenePredictor(config, checkpoint, device="cpu").predict(*pair, out, progress=False)
    edited = ScenePredictor(
        config, checkpoint, device="cpu", options={"model.test_cfg.stride": (40, 40)}
    )
    with pytest.raises(DataError, match="was begun with another config"):
        edited.predict(*pair, out, progress=False, resume=True)
    same = ScenePredictor(config, checkpoint, device="cpu")
    assert same.predict(*pair, out, progress=False, resume=True).mapped_tiles == 0


def test_alpha_beside_the_bands_says_where_there_are_data(pixel_model, tmp_path):
    alpha = np.full((1, 130, 170), 255, np.uint16)
    alpha[:, :, :80] = 0
    path = write(tmp_path / "o.tif", np.concatenate([optical_bands(), alpha]))
    with rasterio.open(path, "r+") as source:
        source.colorinterp = [*source.colorinterp[:4], ColorInterp.alpha]
    sar = write(tmp_path / "s.tif", sar_bands())
    predict(pixel_model, path, sar, tmp_path / "m.tif", resolution="optical")
    labels = read(tmp_path / "m.tif")[0]
    assert (labels[:, :80] == NODATA).all() and (labels[:, 80:] < 6).all()


def test_network_that_begins_at_random_maps_the_same_twice(
    pixel_model, pair, tmp_path, monkeypatch
):
    from scene_files import BandsAsTheyAre

    monkeypatch.setattr(BandsAsTheyAre, "forward", lambda self, x: (x + torch.rand(x.shape),))
    predictor = ScenePredictor(*pixel_model(), device="cpu")
    for name in ("a.tif", "b.tif"):
        torch.rand(1)  # whatever was drawn before
        predictor.predict(*pair, tmp_path / name, progress=False)
    assert (read(tmp_path / "a.tif") == read(tmp_path / "b.tif")).all()


@pytest.mark.parametrize("kind", ["south_up", "rotated"])
def test_other_geotransforms(pixel_model, tmp_path, kind):
    """The same ground, its rows from south to north, or turned by 90 degrees."""
    bands, radar = optical_bands(), sar_bands()
    if kind == "south_up":
        turned = Affine(3, 0, CORNER[0], 0, 3, CORNER[1] - 390)
        other = bands[:, ::-1]
    else:
        turned = Affine(0, 3, CORNER[0], -3, 0, CORNER[1])
        other = bands.transpose(0, 2, 1)
    sar = write(tmp_path / "s.tif", radar)
    plain = write(tmp_path / "o.tif", bands, nodata=0)
    odd = write(tmp_path / "odd.tif", np.ascontiguousarray(other), transform=turned, nodata=0)
    predict(pixel_model, plain, sar, tmp_path / "a.tif", resolution="optical")
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # SAR covers all of it
        warnings.filterwarnings("ignore", ".*avg_non_ignore.*")
        predict(pixel_model, odd, sar, tmp_path / "b.tif", resolution="optical")
    found, expected = read(tmp_path / "b.tif")[0], read(tmp_path / "a.tif")[0]
    found = found[::-1] if kind == "south_up" else found.T
    assert (found == expected).mean() > 0.999
    with rasterio.open(tmp_path / "b.tif") as source:
        assert source.transform == turned


def test_sar_much_smaller_than_the_scene_is_no_mistake(pixel_model, tmp_path):
    optical = write(tmp_path / "o.tif", optical_bands(400, 400))
    sar = write(tmp_path / "s.tif", sar_bands(4, 4), corner=(CORNER[0] + 18, CORNER[1] - 18))
    with pytest.warns(UserWarning, match="covers 0% of the optical image"):
        predict(pixel_model, optical, sar, tmp_path / "m.tif")


def test_a_config_with_classes_as_types(pixel_model, pair, tmp_path):
    """What the pipeline packs is found, and with it the order of the modalities."""
    config, checkpoint = pixel_model()
    text = (
        Path(config)
        .read_text()
        .replace(
            "type='PackCloudSegInputs'", "type=PackCloudSegInputs, modalities=('sar', 'optical')"
        )
        .replace("type='M3MCRDataset'", "type=M3MCRDataset")
    )
    imported = (
        "from mmcloudseg.datasets import M3MCRDataset\n"
        "from mmcloudseg.datasets.transforms import PackCloudSegInputs\n"
    )
    path = tmp_path / "classes.py"
    path.write_text(imported + text)
    assert ScenePredictor(str(path), checkpoint, "cpu").network.about.modalities == (
        "sar", "optical"
    )  # fmt: skip
