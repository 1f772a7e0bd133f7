# A baseline: SegNeXt-B on stacked optical and SAR bands; one modality alone by
# model.backbone.modalities=[optical] or [sar].
_base_ = [
    "../_base_/models/segnext_mscan-b.py",
    "../_base_/datasets/mini_m3mcr.py",
    "../_base_/schedules/schedule_mini.py",
    "../_base_/default_runtime.py",
]
model = dict(
    _base_.network,
    backbone=dict(_base_.network.backbone, pretrained=False),
)
test_evaluator = _base_.land_cover_metrics
