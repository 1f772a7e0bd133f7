# OCRNet on HRNetV2-W18 on the mini M3M-CR, optical and SAR bands stacked.
_base_ = [
    "../_base_/models/ocrnet_hr18.py",
    "../_base_/datasets/mini_m3mcr.py",
    "../_base_/schedules/schedule_mini.py",
    "../_base_/default_runtime.py",
]
model = dict(
    _base_.network,
    backbone=dict(_base_.network.backbone, pretrained=False),
    decode_head=[dict(head, **_base_.network.decode_head) for head in _base_.heads],
)
