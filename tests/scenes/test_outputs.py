from __future__ import annotations

import contextlib
import json
from xml.etree import ElementTree

import pytest
import rasterio
from scene_files import (
    NODATA,
    optical_bands,
    predict,
    read,
    sar_bands,
    write,
)

from mmcloudseg.apis import ScenePredictor
from mmcloudseg.scenes import outputs
from mmcloudseg.utils.errors import DataError


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


def test_what_is_there_is_not_replaced_unless_asked(pixel_model, pair, tmp_path):
    out = tmp_path / "map.tif"
    out.write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"map\.tif: .*--overwrite"):
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
    with pytest.raises(
        DataError, match=r"map\.tif\.partial: .* version \(0, now .*without --resume"
    ):
        predict(pixel_model, *pair, out, resume=True, overwrite=True)


def test_stopped_just_before_the_map_it_can_be_resumed(pixel_model, pair, tmp_path, monkeypatch):
    real = outputs.move_raster

    def stopped(path, out):
        if out.name == "map.tif":
            raise KeyboardInterrupt
        real(path, out)

    out = tmp_path / "map.tif"
    monkeypatch.setattr(outputs, "move_raster", stopped)
    with pytest.raises(KeyboardInterrupt):
        predict(pixel_model, *pair, out, confidence=True)
    assert (tmp_path / "map_confidence.tif").exists() and not out.exists()
    monkeypatch.setattr(outputs, "move_raster", real)
    report = predict(pixel_model, *pair, out, confidence=True, resume=True)
    assert report.mapped_tiles == 0 and out.exists()
    assert not (tmp_path / ".map.tif.partial").exists()


def test_resumed_with_an_edited_config_is_refused(pixel_model, pair, tmp_path, monkeypatch):
    config, checkpoint = pixel_model()
    out = tmp_path / "map.tif"

    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(outputs, "write_cog", stopped)
        ScenePredictor(config, checkpoint, device="cpu").predict(*pair, out, progress=False)
    edited = ScenePredictor(
        config, checkpoint, device="cpu", options={"model.test_cfg.stride": (40, 40)}
    )
    with pytest.raises(
        DataError, match=r"map\.tif\.partial: .* config \(\w{64}, now \w{64}\).*without --resume"
    ):
        edited.predict(*pair, out, progress=False, resume=True)
    same = ScenePredictor(config, checkpoint, device="cpu")
    assert same.predict(*pair, out, progress=False, resume=True).mapped_tiles == 0


def test_an_output_that_appears_while_the_run_waits_is_not_replaced(
    pixel_model, pair, tmp_path, monkeypatch
):
    """The run that held the folder before may have written the same map."""
    out, real = tmp_path / "map.tif", outputs.folder_lock

    @contextlib.contextmanager
    def waits(folder):
        with real(folder):
            out.write_bytes(b"theirs")
            yield

    monkeypatch.setattr(outputs, "folder_lock", waits)
    with pytest.raises(ValueError, match=r"map\.tif: .*--overwrite"):
        predict(pixel_model, *pair, out)
    assert out.read_bytes() == b"theirs"
    assert not (tmp_path / ".map.tif.partial").exists()


def test_an_input_that_has_changed_is_not_resumed(pixel_model, pair, tmp_path, monkeypatch):
    out = tmp_path / "map.tif"

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(outputs, "write_cog", interrupted)
        predict(pixel_model, *pair, out)
    write(pair[0], optical_bands(seed=5), nodata=0)
    with pytest.raises(DataError, match=r"partial: .* optical .*without --resume"):
        predict(pixel_model, *pair, out, resume=True)
