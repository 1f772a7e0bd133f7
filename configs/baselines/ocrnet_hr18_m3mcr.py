# A baseline: OCRNet on HRNetV2-W18 on stacked optical and SAR bands; one modality alone by
# model.backbone.modalities=[optical] or [sar].
_base_ = [
    "../_base_/models/ocrnet_hr18.py",
    "../_base_/datasets/m3mcr.py",
    "../_base_/schedules/schedule_30e.py",
    "../_base_/default_runtime.py",
]
model = dict(
    _base_.network,
    decode_head=[dict(head, **_base_.network.decode_head) for head in _base_.heads],
)
test_evaluator = _base_.land_cover_metrics
