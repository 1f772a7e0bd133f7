from __future__ import annotations

import pytest

from mmcloudseg.scenes.lists import ScenePair, read_pairs
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
        ("a,b\n1,2\n", r"pairs\.csv: .*\['a', 'b'\].*`optical,sar,out`"),
        ("", r"pairs\.csv: .*`optical,sar,out`"),
        ("optical,sar,out\no.tif,s.tif,\n", r"pairs\.csv: line 2 lacks .*out"),
        (
            "optical,sar,out\no,s,m.tif\np,s,x/../m.tif\n",
            r"pairs\.csv: .*m\.tif twice\. Give each",
        ),
        ("optical,sar,out\n", r"pairs\.csv: .* 0 scene\(s\).*\['optical', 'sar', 'out'\]"),
    ],
)
def test_bad_lists(tmp_path, text, message):
    path = tmp_path / "pairs.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_pairs(str(path))
