# CloudSeg on files of your own without cloud-free images: land cover alone, from optical and SAR images.
_base_ = [
    "_base_/models/cloudseg_mit-b4.py",
    "_base_/datasets/your_data.py",
    "_base_/schedules/schedule_30e.py",
    "_base_/default_runtime.py",
]
model = dict(
    data_preprocessor=_base_.network.data_preprocessor,
    backbone=dict(_base_.network.backbone, with_optical=False),
    decode_head=_base_.network.decode_head,
    auxiliary_head=None,
    test_cfg=dict(_base_.network.test_cfg, cloud_free=False),
)
