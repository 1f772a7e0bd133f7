import pytest

from mmcloudseg.datasets.conversion.whu_tree import map_sheet, read_lists, validation_scenes
from mmcloudseg.utils.errors import DataError


def test_lists_as_people_write_them(tmp_path):
    (tmp_path / "train_list.txt").write_text(
        "\ufeffNH49E001013.tif\n\n  optical/NH49E002014.TIF \r\n.\\lbl\\NH50E001001\nNH49E001013\n"
    )
    (tmp_path / "test_list.txt").write_text("NI49E021011.tiff")
    assert read_lists(tmp_path) == dict(
        train=["NH49E001013", "NH49E002014", "NH50E001001"], test=["NI49E021011"]
    )


def test_both_lists_in_one_file(tmp_path):
    file = tmp_path / "The division of the dataset.txt"
    file.write_text("train:\nNH49E001013.tif\nNH49E002014.tif\n\ntest:\nNI49E021011.tif\n")
    expected = dict(train=["NH49E001013", "NH49E002014"], test=["NI49E021011"])
    assert read_lists(tmp_path) == expected
    (tmp_path / "train_list.txt").write_text("NH50E001001")
    assert read_lists(tmp_path) == dict(train=["NH50E001001"])


def test_missing_lists_are_left_out(tmp_path):
    assert read_lists(tmp_path) == {}


@pytest.mark.parametrize(
    ("scene", "sheet"),
    [
        ("NH49E001013", "NH49D001007"),
        ("NH49E002014", "NH49D001007"),
        ("NH49E003014", "NH49D002007"),
        ("NH49E002012", "NH49D001006"),
        ("NH50E002014", "NH50D001007"),
        ("NI49E024024", "NI49D012012"),
    ],
)
def test_map_sheet_of_four_scenes(scene, sheet):
    assert map_sheet(scene) == sheet


@pytest.mark.parametrize("name", ["scene1", "NH49E01013", "NH49E001013_0", "NH49D001007"])
def test_names_of_no_sheet(name):
    with pytest.raises(DataError, match=f"{name}: .*NH49E001013.*Restore"):
        map_sheet(name)


def grid(rows, columns):
    return [
        f"NH49E{row:03d}{column:03d}" for row in range(1, rows) for column in range(1, columns)
    ]


def test_whole_sheets_are_held_out():
    training = grid(9, 11)
    held_out = validation_scenes(training, 0.1)
    assert len(held_out) == 8
    kept = set(training) - set(held_out)
    assert not {map_sheet(scene) for scene in held_out} & {map_sheet(scene) for scene in kept}


def test_the_choice_is_the_same_everywhere():
    held_out = validation_scenes(grid(9, 11), 0.1)
    # The sheets NH49D002001 and NH49D003001.
    assert held_out == [f"NH49E00{row}00{column}" for row in (3, 4, 5, 6) for column in (1, 2)]
    assert validation_scenes(grid(9, 11)[::-1], 0.1) == held_out
    assert set(held_out) < set(validation_scenes(grid(9, 11), 0.5))


def test_never_all_and_never_none():
    two = ["NH49E001001", "NH49E001002", "NH49E003001"]
    assert validation_scenes(two, 0.99) in (two[:2], two[2:])
    assert validation_scenes(two, 0.001) in (two[:2], two[2:])
    with pytest.raises(DataError, match=r"train_list\.txt: .*2 scene\(s\).*Add a scene"):
        validation_scenes(two[:2], 0.1)


@pytest.mark.parametrize("fraction", [0, 1, -0.1, 20])
def test_fractions_out_of_range(fraction):
    with pytest.raises(ValueError, match=f"val_fraction .*above 0 and below 1, found {fraction}"):
        validation_scenes(grid(3, 5), fraction)
