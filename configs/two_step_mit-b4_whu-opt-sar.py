# The two-step habit on WHU-OPT-SAR: cloud removal, then a segmentor trained on clear images.
_base_ = [
    "_base_/models/two_step_mit-b4.py",
    "_base_/datasets/whu-opt-sar.py",
    "_base_/schedules/schedule_30e.py",
    "_base_/default_runtime.py",
]
model = dict(
    data_preprocessor=_base_.network.data_preprocessor,
    remover=dict(backbone=_base_.network.backbone),
    segmentor=dict(
        backbone=_base_.network.backbone,
        decode_head=_base_.network.decode_head,
    ),
    test_cfg=_base_.network.test_cfg,
)
test_evaluator = dict(metrics=_base_.cloud_removal_metrics)
