from collections import OrderedDict, namedtuple
from enum import IntEnum
from pathlib import Path

import numpy as np
import torch
from mmengine.config import ConfigDict

from mmcloudseg.engine.plain_values import to_plain


class Code(IntEnum):
    WATER = 3


Point = namedtuple("Point", "x y")


def test_containers_and_scalars_become_python_s_own():
    value = ConfigDict(
        a=[ConfigDict(b=1), (np.int64(2), np.float32(0.5), np.bool_(True))],
        c=OrderedDict([(np.int64(4), Path("x/y")), (None, None)]),
        d=np.array([[1, 2]], dtype=np.uint8),
        e=Code.WATER,
        g={7},
        h=len,
    )
    plain = to_plain(dict(value, f=Point(1, np.float64(2))))
    assert plain == dict(
        a=[dict(b=1), (2, 0.5, True)],
        c={4: "x/y", None: None},
        d=[[1, 2]],
        e=3,
        f=(1, 2.0),
        g=[7],
        h=str(len),
    )
    kinds = {dict: [plain, plain["a"][0], plain["c"]], tuple: [plain["a"][1], plain["f"]]}
    kinds |= {int: [plain["e"], plain["a"][1][0]], bool: [plain["a"][1][2]]}
    for kind, items in kinds.items():
        assert all(type(item) is kind for item in items)


def test_tensors_stay_tensors():
    tensor = torch.ones(2, requires_grad=True)
    plain = to_plain([tensor])[0]
    assert isinstance(plain, torch.Tensor) and plain.tolist() == [1, 1]
    assert not plain.requires_grad
