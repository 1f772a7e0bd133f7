import hashlib

import numpy as np

from mmcloudseg.datasets.conversion.manifest import (
    COLUMNS,
    manifest_digest,
    pixel_checksum,
    read_manifest,
    write_manifest,
)


def row(split, name, **sums):
    return {**dict.fromkeys(COLUMNS, ""), "split": split, "name": name, **sums}


def test_checksum_of_type_shape_and_pixels():
    pixels = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    content = b"uint16 2x3x4\n" + pixels.astype("<u2").tobytes()
    assert pixel_checksum(pixels) == hashlib.blake2b(content, digest_size=16).hexdigest()
    others = [
        pixels.astype(np.int16),
        pixels.reshape(2, 4, 3),
        np.where(pixels == 23, 22, pixels).astype(np.uint16),
    ]
    assert len({pixel_checksum(p) for p in (pixels, *others)}) == 4


def test_checksum_does_not_depend_on_how_the_array_lies_in_memory():
    pixels = np.arange(24, dtype=np.uint16).reshape(2, 3, 4)
    expected = pixel_checksum(pixels)
    assert pixel_checksum(pixels.astype(">u2")) == expected
    assert pixel_checksum(np.asfortranarray(pixels)) == expected
    assert pixel_checksum(np.pad(pixels, ((0, 0), (0, 0), (0, 1)))[:, :, :-1]) == expected


def test_lists_and_manifest_are_sorted_and_read_back(tmp_path):
    rows = [
        row("test", "b", optical="1", cloudy="2"),
        row("train", "c_r0010_c0000", optical="3"),
        row("val", "a", label="4"),
        row("train", "c_r0000_c0010", sar="5"),
    ]
    write_manifest(tmp_path, rows)
    assert (tmp_path / "train.txt").read_text() == "c_r0000_c0010\nc_r0010_c0000\n"
    assert (tmp_path / "val.txt").read_text() == "a\n"
    assert (tmp_path / "test.txt").read_text() == "b\n"
    assert (tmp_path / "manifest.csv").read_bytes() == (
        b"split,name,optical,sar,label,cloudy,cloud_opacity,cloud_mask\n"
        b"train,c_r0000_c0010,,5,,,,\n"
        b"train,c_r0010_c0000,3,,,,,\n"
        b"val,a,,,4,,,\n"
        b"test,b,1,,,2,,\n"
    )
    assert read_manifest(tmp_path) == [rows[3], rows[1], rows[2], rows[0]]
    assert len(list(tmp_path.iterdir())) == 4


def test_digest_is_of_the_whole_manifest(tmp_path):
    digests = set()
    for checksum in ("1", "2"):
        write_manifest(tmp_path, [row("val", "a", optical=checksum)])
        digests.add(manifest_digest(tmp_path))
    assert len(digests) == 2 and all(len(digest) == 32 for digest in digests)
