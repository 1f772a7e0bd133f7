# A baseline: MMSegmentation's SegFormer-B0 on the stacked bands, on the same data as everything else.
_base_ = [
    "_base_/models/segformer_mit-b0.py",
    "_base_/datasets/whu-opt-sar.py",
    "_base_/schedules/schedule_30e.py",
    "_base_/default_runtime.py",
]
model = dict(
    data_preprocessor=_base_.network.data_preprocessor,
    backbone=dict(in_channels=5),
    decode_head=_base_.network.decode_head,
    test_cfg=_base_.network.test_cfg,
)
test_evaluator = [dict(type="CloudIoUMetric")]
