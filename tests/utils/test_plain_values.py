import datetime
import enum
import subprocess
import sys
import types
from collections import Counter, OrderedDict, deque, namedtuple
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict

from mmcloudseg.utils.plain_values import to_plain


class Code(enum.IntEnum):
    WATER = 3


class Season(enum.Enum):
    FALL = ("fall", np.int8(9))


class Text(str):
    pass


class OwnTensor(torch.Tensor):
    pass


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (ConfigDict(b=ConfigDict(c=(1, [2]))), dict(b=dict(c=(1, [2])))),
        ((np.int64(2), np.float32(0.5), np.bool_(True)), (2, 0.5, True)),
        (OrderedDict([(np.int64(4), Path("x/y")), (None, None)]), {4: "x/y", None: None}),
        ({frozenset([1]): 1}, {"frozenset({1})": 1}),
        ({(1, frozenset([2])): 2}, {"(1, frozenset({2}))": 2}),
        ({Path("a"): 1, "a": 2}, {"a": 1, "'a'": 2}),
        (types.MappingProxyType({Season.FALL: Counter("aab")}), {("fall", 9): dict(a=2, b=1)}),
        (np.array([[1, 2]], dtype=np.uint8), [[1, 2]]),
        (np.array(3), 3),
        (np.array([Path("x"), None], dtype=object), ["x", None]),
        (np.zeros(1, dtype=[("a", "i4"), ("b", "U3")]), [(0, "")]),
        (np.ones(2, dtype=np.longdouble), [1.0, 1.0]),
        (np.clongdouble(1 + 2j), 1 + 2j),
        (np.array(["2020"], dtype="M8[ns]"), ["2020-01-01T00:00:00.000000000"]),
        (np.datetime64("2020-01-01"), "2020-01-01"),
        (datetime.date(2020, 1, 1), "2020-01-01"),
        ((np.str_("u"), np.bytes_(b"u"), Text("t"), bytearray(b"x")), ("u", b"u", "t", b"x")),
        ((np.dtype("f4"), torch.bfloat16), ("float32", "torch.bfloat16")),
        (torch.device("cpu"), "cpu"),
        ([Code.WATER, Season.FALL], [3, ("fall", 9)]),
        (Point(1, np.float64(2)), (1, 2.0)),
        ((range(2), deque([1]), torch.Size([3])), ([0, 1], [1], (3,))),
        ({7, "a", None}, ["a", 7, None]),
        ((dict, len, np.float32), ("builtins.dict", "builtins.len", "numpy.float32")),
        (10**1000, hex(10**1000)),
        (2**70, 2**70),
    ],
)  # fmt: skip
def test_containers_and_scalars_become_pythons_own(value, plain):
    found = to_plain(dict(value=value))["value"]
    assert found == plain and type(found) is type(plain)
    assert repr(found) == repr(plain)  # 1 == True == np.int64(1)


def test_a_container_inside_itself_ends_in_text():
    value = [1]
    value.append(value)
    assert to_plain(value) == [1, "[1, [...]]"]


def test_tensors_stay_tensors():
    values = [
        torch.ones(2, requires_grad=True),
        torch.nn.Parameter(torch.ones(2)),
        torch.ones(2).as_subclass(OwnTensor),
        torch.eye(2).to_sparse(),
    ]
    for plain in to_plain(values):
        assert type(plain) is torch.Tensor and not plain.requires_grad
    assert to_plain(torch.ones(2, device="meta")).startswith("tensor(")


def test_what_comes_out_is_read_without_this_package(tmp_path):
    odd = dict(
        a=[OwnTensor(2), torch.nn.Parameter(torch.ones(1)), torch.float16, 10**1000, 1j, None],
        b={None: np.array([b"x", "\udcff"], dtype=object), Season.FALL: slice(1)},
        c=(len, lambda: 0, iter([]), Ellipsis, NotImplemented, ValueError("x")),
    )
    torch.save(to_plain(odd), tmp_path / "odd.pth")
    code = (
        "import sys, torch\n"
        f"read = torch.load({str(tmp_path / 'odd.pth')!r}, weights_only=True)\n"
        "assert not {'mmengine', 'mmcloudseg'} & set(sys.modules)\n"
        "print(list(read['b']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[None, ('fall', 9)]", done.stderr
