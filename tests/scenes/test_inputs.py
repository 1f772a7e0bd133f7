from __future__ import annotations

import warnings

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from rasterio.enums import ColorInterp
from rasterio.warp import transform as to_crs
from scene_files import (
    CORNER,
    NODATA,
    UTM,
    optical_bands,
    predict,
    read,
    sar_bands,
    write,
)

from mmcloudseg.apis import ScenePredictor


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
    with pytest.warns(UserWarning, match=r"s\.tif: .* 50%"):
        predict(pixel_model, optical, sar, tmp_path / "m.tif")
    assert (read(tmp_path / "m.tif") < 6).all()


def test_bands_are_chosen_and_ordered(pixel_model, pair, tmp_path):
    more = np.concatenate([optical_bands()[::-1], optical_bands(seed=9)])
    optical = write(tmp_path / "more.tif", more, nodata=0)
    predict(pixel_model, *pair, tmp_path / "a.tif")
    predict(pixel_model, optical, pair[1], tmp_path / "b.tif", optical_bands=[4, 3, 2, 1])
    assert (read(tmp_path / "a.tif") == read(tmp_path / "b.tif")).all()


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
    with pytest.warns(UserWarning, match=r"s\.tif: .* 0%"):
        predict(pixel_model, optical, sar, tmp_path / "m.tif")
