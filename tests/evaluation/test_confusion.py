"""Scores from confusion matrices, against numbers worked out by hand and the golden ones."""

import json
import warnings

import numpy as np
import pytest
import torch

from mmcloudseg.evaluation.confusion import (
    confusion_matrix,
    cover_bin,
    mask_to_label_grid,
    region_matrices,
    scores_from_confusion,
)

EDGES = (0, 20, 40, 60, 80, 100)


def test_confusion_matrix_counts_by_label_and_prediction():
    label = torch.tensor([[0, 0, 1], [1, 2, 255]], dtype=torch.uint8)
    prediction = torch.tensor([[0, 1, 1], [0, 0, 2]])
    matrix = confusion_matrix(label, prediction, num_classes=3)
    assert matrix.tolist() == [[1, 1, 0], [1, 1, 0], [1, 0, 0]]


def test_labels_outside_the_classes_are_not_counted():
    label = torch.tensor([0, 3, 7, -1, 1])
    matrix = confusion_matrix(label, torch.zeros(5, dtype=torch.long), 3, ignore_index=1)
    assert matrix.tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]


def test_prediction_outside_the_classes_is_refused_where_it_counts():
    prediction = torch.tensor([0, 3])
    with pytest.raises(ValueError, match=r"found class 3 .* expected 0 to 2.*num_classes"):
        confusion_matrix(torch.tensor([0, 1]), prediction, 3)
    assert confusion_matrix(torch.tensor([0, 255]), prediction, 3).sum() == 1


def test_scores_by_hand():
    # Class 2 is only predicted, class 3 is nowhere.
    matrix = np.array([[6, 2, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    scores = scores_from_confusion(matrix)
    assert scores.pixels == 10
    assert scores.overall_accuracy == 0.6
    np.testing.assert_array_equal(scores.accuracy, [0.75, 0, np.nan, np.nan])
    assert scores.mean_accuracy == 0.375
    np.testing.assert_allclose(scores.iou, [6 / 9, 0, 0, np.nan], rtol=1e-15)
    assert scores.mean_iou == pytest.approx(2 / 9, rel=1e-15)
    assert scores.frequency_weighted_iou == pytest.approx(0.8 * 6 / 9, rel=1e-15)
    np.testing.assert_allclose(scores.fscore, [12 / 15, 0, 0, np.nan], rtol=1e-15)
    assert scores.mean_fscore == pytest.approx(0.8 / 3, rel=1e-15)


def test_beta_weights_recall():
    scores = scores_from_confusion(np.array([[6, 2], [1, 1]]), beta=2.0)
    precision, recall = 6 / 7, 6 / 8
    assert scores.fscore[0] == pytest.approx(5 * precision * recall / (4 * precision + recall))


def test_empty_matrix_is_nan_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = scores_from_confusion(torch.zeros(2, 2, dtype=torch.long))
    assert scores.pixels == 0
    for value in (
        scores.overall_accuracy,
        scores.mean_accuracy,
        scores.frequency_weighted_iou,
        scores.mean_iou,
        scores.mean_fscore,
    ):
        assert np.isnan(value)


def test_mask_moves_by_plain_nearest():
    """Index floor(i * 10 / 3), not the pixel-centre rule's floor((i + 0.5) * 10 / 3)."""
    column = torch.arange(10, dtype=torch.uint8)
    moved = mask_to_label_grid(column.repeat(10, 1), (3, 3))
    assert moved[0].tolist() == [0, 3, 6]
    assert moved.dtype == torch.uint8


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.int64])
def test_mask_of_any_type(dtype):
    mask = torch.tensor([[0, 1], [1, 0]]).to(dtype)
    assert mask_to_label_grid(mask, (2, 2)).tolist() == [[0, 1], [1, 0]]


def test_regions_leave_out_other_mask_values():
    label = torch.tensor([[0, 1, 0, 1]])
    mask = torch.tensor([[0, 1, 2, 255]], dtype=torch.uint8)
    matrices = region_matrices(label, label, mask, 2)
    assert matrices.tolist() == [[[2, 0], [0, 2]], [[1, 0], [0, 0]], [[0, 0], [0, 1]]]
    assert region_matrices(label, label, None, 2)[1:].sum() == 0


@pytest.mark.parametrize(
    ("cloudy", "expected"),
    [(0, 0), (19, 0), (20, 1), (39, 1), (40, 2), (60, 3), (79, 3), (80, 4), (100, 4)],
)
def test_cover_bin_edges(cloudy, expected):
    mask = torch.zeros(10, 10, dtype=torch.uint8)
    mask.view(-1)[:cloudy] = 1
    assert cover_bin(mask, EDGES) == expected


def test_cover_of_known_pixels_only():
    mask = torch.tensor([[1, 0, 255, 255], [255, 255, 2, 2]])
    assert cover_bin(mask, EDGES) == 2
    assert cover_bin(torch.full((2, 2), 255), EDGES) is None
    assert cover_bin(mask, (0, 10)) is None
    assert cover_bin(mask, ()) is None


CASES = {
    "test_sample": "test_cloudmask90",
    "synthetic_a": "a_cloudmask",
    "synthetic_a_streamed": "a_cloudmask",
    "synthetic_b_absent_classes_and_mask_value_2": "b_cloudmask",
}


@pytest.mark.parametrize("case", CASES)
def test_golden_scores_exactly(shared, case):
    folder = shared / "parity" / "real"
    golden = json.loads((folder / "metrics.json").read_text())[case]
    data = np.load(folder / "metrics_inputs.npz", allow_pickle=False)
    prefix = CASES[case].split("_")[0]
    arrays = zip(data[f"{prefix}_label"], data[f"{prefix}_pred"], data[CASES[case]], strict=True)
    matrices = sum(
        region_matrices(
            torch.from_numpy(label),
            torch.from_numpy(prediction),
            mask_to_label_grid(torch.from_numpy(mask), label.shape),
            num_classes=6,
        )
        for label, prediction, mask in arrays
    )
    for matrix, region in zip(matrices, ("all", "cloudfree", "cloudy"), strict=True):
        expected = golden[region]
        assert matrix.tolist() == expected["confusion"]
        scores = scores_from_confusion(matrix)
        assert scores.pixels == expected["n"]
        assert scores.overall_accuracy == expected["Overall Acc"]
        assert scores.mean_accuracy == expected["Mean Acc"]
        assert scores.frequency_weighted_iou == expected["FreqW Acc"]
        assert scores.mean_iou == expected["Mean IoU"]
        for index, value in expected["Class IoU"].items():
            np.testing.assert_equal(scores.iou[int(index)], np.nan if value is None else value)
