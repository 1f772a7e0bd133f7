# OCRNet on HRNetV2-W18 on WHU-OPT-SAR, optical and SAR bands stacked.
_base_ = [
    "../_base_/models/ocrnet_hr18.py",
    "../_base_/datasets/whu-opt-sar.py",
    "../_base_/schedules/schedule_30e.py",
    "../_base_/default_runtime.py",
]
model = dict(
    _base_.network,
    decode_head=[dict(head, **_base_.network.decode_head) for head in _base_.heads],
)
