# A baseline: SegNeXt-B on stacked optical and SAR bands; one modality alone by
# model.backbone.modalities=[optical] or [sar].
_base_ = [
    "../_base_/models/segnext_mscan-b.py",
    "../_base_/datasets/m3mcr.py",
    "../_base_/schedules/schedule_30e.py",
    "../_base_/default_runtime.py",
]
model = _base_.network
test_evaluator = _base_.land_cover_metrics
