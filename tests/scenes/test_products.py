from __future__ import annotations

import numpy as np
import torch

from mmcloudseg.engine.model_description import ModelDescription
from mmcloudseg.scenes.products import from_image, from_logits, list_products
from mmcloudseg.scenes.settings import SceneSettings

VALID = np.array([[True, True, False]])


def test_of_several_classes():
    logits = torch.tensor([[[2.0, 0.0, 0.0]], [[0.0, 1.0, 9.0]], [[0.0, 0.0, 0.0]]])
    made = from_logits(logits, VALID, ["map", "confidence", "probabilities"])
    assert made["map"].tolist() == [[[0, 1, 255]]]
    assert made["map"].dtype == np.uint8
    # e^2 / (e^2 + 2) and e / (e + 2)
    assert made["confidence"].tolist() == [[[79, 58, 255]]]
    assert made["probabilities"][:, 0, 0].tolist() == [7870, 1065, 1065]
    assert made["probabilities"][:, 0, 2].tolist() == [65535] * 3
    assert made["probabilities"].dtype == np.uint16


def test_of_a_single_class():
    logits = torch.tensor([[[-1.0, 1.0, 0.0]]])
    made = from_logits(logits, VALID, ["map", "confidence", "probabilities"], threshold=0.3)
    assert made["map"].tolist() == [[[0, 1, 255]]]
    assert made["probabilities"][:, 0, 1].tolist() == [2689, 7311]
    assert made["confidence"][0, 0, 0] == 73
    # Above the threshold it is there, however improbable.
    low = from_logits(torch.full((1, 1, 3), -0.5), VALID, ["map", "confidence"], threshold=0.3)
    assert low["map"].tolist() == [[[1, 1, 255]]] and low["confidence"][0, 0, 0] == 38


def test_only_what_is_asked_for():
    assert set(from_logits(torch.zeros(3, 1, 3), VALID, ["map"])) == {"map"}


def test_image_returns_to_its_unit():
    image = torch.tensor([[[0.5, -0.1, 0.0]], [[1.2, 0.25, 0.0]]])
    made = from_image(image, VALID, [0, 100], [10000, 500])
    assert made.tolist() == [[[5000, 0, 65535]], [[500, 200, 65535]]]
    # The end of the range is not taken for nodata.
    assert from_image(torch.ones(1, 1, 3), VALID, [0], [65535])[0, 0, 0] == 65534


def test_which_rasters():
    description = ModelDescription(
        classes=("a", "b"),
        palette=((1, 2, 3), (4, 5, 6)),
        label_scale=1.0,
        counts=dict(optical=1),
        bands={},
        names=dict(optical=("red",)),
        radiometry={},
        low={},
        high={},
    )
    everything = SceneSettings(confidence=True, probabilities=True, cloud_free=True)
    made = list_products(description, everything)
    assert [product.name for product in made] == [
        "map",
        "confidence",
        "probabilities",
        "cloud_free",
    ]
    assert [product.optical_grid for product in made] == [False, False, False, True]
    assert made[2].bands == ("probability of a", "probability of b")
    assert made[0].categories == ("a", "b") and made[0].palette[1] == (4, 5, 6)
    assert made[3].bands == ("red",)
    assert [product.name for product in list_products(description, SceneSettings())] == ["map"]
