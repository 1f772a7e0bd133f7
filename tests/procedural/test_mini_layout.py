"""A miniature set appears whole or not at all."""

import json

import pytest

from mmcloudseg.procedural.mini_layout import MiniLayout

LAYOUT = MiniLayout("made.json", "make_it.py", folders=("images",), files=("list.txt",))


def fill(text="new"):
    def write(root):
        (root / "images" / "a.txt").write_text(text)
        (root / "list.txt").write_text(text)

    return write


def contents(root):
    return {
        str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()
    }


def test_writes_set_and_recipe_and_counts_bytes(tmp_path):
    out = tmp_path / "parent" / "set"
    size = LAYOUT.write(out, fill("four"), {"seed": 7})
    recipe = '{\n  "seed": 7\n}\n'
    assert contents(out) == {"images/a.txt": "four", "list.txt": "four", "made.json": recipe}
    assert size == 8 + len(recipe)
    assert [path.name for path in out.parent.iterdir()] == ["set"]


def test_a_set_is_made_again_and_other_files_stay(tmp_path):
    LAYOUT.write(tmp_path / "set", fill("old"), {"seed": 0})
    (tmp_path / "set" / "images" / "b.txt").write_text("old")
    (tmp_path / "set" / "notes.txt").write_text("mine")
    LAYOUT.write(tmp_path / "set", fill("new"), {"seed": 1})
    found = contents(tmp_path / "set")
    assert json.loads(found.pop("made.json")) == {"seed": 1}
    assert found == {"images/a.txt": "new", "list.txt": "new", "notes.txt": "mine"}


def test_a_folder_of_somebody_else_is_refused_unless_forced(tmp_path):
    (tmp_path / "list.txt").write_text("old")
    message = (
        rf"{tmp_path}: the folder is not empty and has no made\.json.*make_it\.py.*"
        r"--force to replace images, list\.txt in it"
    )
    with pytest.raises(FileExistsError, match=message):
        LAYOUT.write(tmp_path, fill(), {})
    assert contents(tmp_path) == {"list.txt": "old"}
    LAYOUT.write(tmp_path, fill(), {}, force=True)
    assert contents(tmp_path)["list.txt"] == "new"


def test_a_file_in_the_way_is_named_even_if_forced(tmp_path):
    (tmp_path / "set").write_text("")
    with pytest.raises(FileExistsError, match=r"set: .*found a file.*another folder"):
        LAYOUT.write(tmp_path / "set", fill(), {}, force=True)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_what_is_interrupted_leaves_everything_as_it_was(tmp_path, error):
    def interrupt(root):
        fill("half")(root)
        raise error

    LAYOUT.write(tmp_path / "old", fill("old"), {})
    before = contents(tmp_path)
    for name in ("old", "new"):
        with pytest.raises(error):
            LAYOUT.write(tmp_path / name, interrupt, {})
    assert contents(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
