from __future__ import annotations

import pytest
import torch
from torch import nn

from mmcloudseg.models.weights import check_weights, read_weights


def test_weights_of_a_distributed_model_are_read_by_their_names(tmp_path):
    weights = {"module.weight": torch.ones(1, 2), "module.bias": torch.zeros(1)}
    for content in (weights, dict(state_dict=weights, meta={})):
        torch.save(content, tmp_path / "a.pth")
        assert read_weights(str(tmp_path / "a.pth")).keys() == {"weight", "bias"}


@pytest.mark.parametrize("content", [b"", b"cut", [1, 2]])
def test_what_is_no_checkpoint_is_refused(tmp_path, content):
    path = tmp_path / "a.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(ValueError, match=r"a\.pth' .*Error.*another file"):
        read_weights(str(path))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(bias=None), r"lacks bias$"),
        (dict(other=torch.ones(1)), r"has the surplus other$"),
        (dict(weight=torch.ones(1, 3)), r"has another shape for weight \(1, 3\)$"),
    ],
)
def test_weights_that_do_not_fit_are_named(change, message):
    network = nn.Linear(2, 1)
    weights = {**network.state_dict(), **change}
    weights = {key: value for key, value in weights.items() if value is not None}
    with pytest.raises(ValueError, match=rf"^best\.pth: it {message}"):
        check_weights(network, weights, "best.pth")
    check_weights(network, network.state_dict(), "best.pth")
