from mmcloudseg.datasets.wrappers import inner_datasets


def test_datasets_are_found_inside_any_wrapper_and_not_copied():
    a, b, c = dict(type="A"), dict(type="B"), dict(type="C")
    repeated = dict(type="RepeatDataset", dataset=dict(type="ConcatDataset", datasets=(b,)))
    nested = dict(type="ConcatDataset", datasets=[a, repeated, c])
    assert [
        inner is one for inner, one in zip(inner_datasets(nested), (a, b, c), strict=True)
    ] == [True] * 3
    assert list(inner_datasets(a)) == [a]
