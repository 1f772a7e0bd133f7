from __future__ import annotations

import pytest
import rasterio

from mmcloudseg.scenes.lists import ScenePair, predict_list, read_pairs
from mmcloudseg.utils.errors import DataError


def test_paths_are_relative_to_the_list(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text(
        "sar,optical,out,note\ns.tif,o.tif,maps/a.tif,x\n,/vsicurl/http://x/o.tif,b.tif,\n"
    )
    assert read_pairs(str(path)) == [
        ScenePair(str(tmp_path / "o.tif"), str(tmp_path / "s.tif"), str(tmp_path / "maps/a.tif")),
        ScenePair("/vsicurl/http://x/o.tif", None, str(tmp_path / "b.tif")),
    ]


def test_spaces_and_quotes(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text('optical, sar, out\no.tif, "s, 1.tif", x/../m.tif\n')
    assert read_pairs(str(path)) == [
        ScenePair(str(tmp_path / "o.tif"), str(tmp_path / "s, 1.tif"), str(tmp_path / "m.tif"))
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", r"columns \['a', 'b'\], expected a first line `optical,sar,out`"),
        ("", "expected a first line"),
        ("optical,sar,out\no.tif,s.tif,\n", "line 2 names no optical raster, or no out"),
        ("optical,sar,out\no,s,m.tif\np,s,x/../m.tif\n", "m.tif twice"),
        ("optical,sar,out\n", r"has 0 scene\(s\) and the columns \['optical', 'sar', 'out'\]"),
    ],
)
def test_bad_lists(tmp_path, text, message):
    path = tmp_path / "pairs.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_pairs(str(path))


def test_one_bad_scene_does_not_stop_the_others(pixel_model, pair, tmp_path, capsys):
    pairs = [
        ScenePair(str(tmp_path / "none.tif"), pair[1], str(tmp_path / "a.tif")),
        ScenePair(*pair, str(tmp_path / "b.tif")),
    ]
    with pytest.raises(DataError, match=r"not mapped of 2 scenes \(1 in all\)[\s\S]*none\.tif"):
        predict_list(*pixel_model(), pairs, device="cpu")
    with rasterio.open(tmp_path / "b.tif") as source:
        assert source.shape == (39, 51)
    assert "b.tif: 0.0 megapixels" in capsys.readouterr().out


def test_resumed_list_leaves_out_what_is_there(pixel_model, pair, tmp_path, capsys):
    pairs = [ScenePair(*pair, str(tmp_path / name)) for name in ("a.tif", "b.tif")]
    model = pixel_model()
    predict_list(*model, pairs[:1], device="cpu")
    changed = (tmp_path / "a.tif").stat().st_mtime_ns
    assert len(predict_list(*model, pairs, device="cpu", resume=True)) == 1
    assert (tmp_path / "a.tif").stat().st_mtime_ns == changed
    assert "a.tif: is there already" in capsys.readouterr().out
