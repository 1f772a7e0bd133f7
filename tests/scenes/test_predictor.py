from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import rasterio
import torch
from affine import Affine
from mmengine.config import Config
from mmseg.registry import MODELS
from scene_files import (
    CORNER,
    UTM,
    BandsAsTheyAre,
    optical_bands,
    predict,
    read,
    sar_bands,
    write,
)

from mmcloudseg.apis import ScenePredictor
from mmcloudseg.scenes.lists import ScenePair
from mmcloudseg.scenes.settings import SceneOptions, SceneSettings
from mmcloudseg.utils.errors import DataError


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


def test_model_without_cloud_removal_says_so(pixel_model, pair, tmp_path):
    with pytest.raises(ValueError, match=r"\.py: .*test_cfg\.cloud_free=True.*--cloud-free"):
        predict(pixel_model, *pair, tmp_path / "m.tif", cloud_free=True)


def test_network_that_begins_at_random_maps_the_same_twice(
    pixel_model, pair, tmp_path, monkeypatch
):
    monkeypatch.setattr(BandsAsTheyAre, "forward", lambda self, x: (x + torch.rand(x.shape),))
    predictor = ScenePredictor(*pixel_model(), device="cpu")
    for name in ("a.tif", "b.tif"):
        torch.rand(1)  # whatever was drawn before
        predictor.predict(*pair, tmp_path / name, progress=False)
    assert (read(tmp_path / "a.tif") == read(tmp_path / "b.tif")).all()


def test_one_bad_scene_does_not_stop_the_others(pixel_model, pair, tmp_path, capsys):
    pairs = [
        ScenePair(str(tmp_path / "none.tif"), pair[1], str(tmp_path / "a.tif")),
        ScenePair(*pair, str(tmp_path / "b.tif")),
    ]
    with pytest.raises(DataError, match=r"of 2 scenes[\s\S]*1 in all[\s\S]*none\.tif"):
        ScenePredictor(*pixel_model(), device="cpu").predict_list(pairs)
    with rasterio.open(tmp_path / "b.tif") as source:
        assert source.shape == (39, 51)
    assert "b.tif: 0.0 megapixels" in capsys.readouterr().out


def test_resumed_list_leaves_out_what_is_there(pixel_model, pair, tmp_path, capsys):
    pairs = [ScenePair(*pair, str(tmp_path / name)) for name in ("a.tif", "b.tif")]
    predictor = ScenePredictor(*pixel_model(), device="cpu")
    predictor.predict_list(pairs[:1])
    changed = (tmp_path / "a.tif").stat().st_mtime_ns
    assert len(predictor.predict_list(pairs, resume=True)) == 1
    assert (tmp_path / "a.tif").stat().st_mtime_ns == changed
    assert "a.tif: already exists, skipped" in capsys.readouterr().out


def test_a_list_of_one_fails_in_its_own_words(pixel_model, pair, tmp_path):
    pairs = [ScenePair(str(tmp_path / "none.tif"), pair[1], str(tmp_path / "a.tif"))]
    with pytest.raises(DataError, match=r"^\S*none\.tif: no such file"):
        ScenePredictor(*pixel_model(), device="cpu").predict_list(pairs)


def test_keywords_and_settings_are_the_same(pixel_model, pair, tmp_path):
    """Keywords replace fields of the settings, and are checked like them."""
    assert SceneOptions.__annotations__.keys() == {
        field.name for field in dataclasses.fields(SceneSettings)
    }
    predictor = ScenePredictor(*pixel_model(), device="cpu")
    settings = SceneSettings(confidence=True, resolution="optical")
    first = predictor.predict(*pair, tmp_path / "a.tif", settings, progress=False)
    second = predictor.predict(
        *pair, tmp_path / "b.tif", settings, progress=False, resolution="label"
    )
    assert set(first.files) == set(second.files) == {"map", "confidence", "style"}
    assert read(first.files["map"]).shape == (1, 130, 170)
    assert read(second.files["map"]).shape == (1, 39, 51)
    with pytest.raises(TypeError, match=r"SceneSettings.*'colour'"):
        predictor.predict(*pair, tmp_path / "c.tif", progress=False, colour=True)
