from __future__ import annotations

import pytest
import torch

from mmcloudseg.utils.errors import DataError, plain_text


class Broken(torch.utils.data.Dataset):
    def __len__(self):
        return 1

    def __getitem__(self, index):
        raise DataError("a.tif: unknown code 7\nRemove it.")


def test_an_error_from_a_worker_is_told_without_its_traceback():
    loader = torch.utils.data.DataLoader(Broken(), num_workers=1)
    with pytest.raises(DataError) as caught:
        next(iter(loader))
    assert "Traceback" in str(caught.value)
    assert plain_text(caught.value) == "a.tif: unknown code 7\nRemove it."


def test_other_errors_are_told_as_they_are():
    assert plain_text(ValueError("x: y")) == "x: y"
