# A baseline: SegFormer-B4 on stacked optical and SAR bands; one modality alone by
# model.backbone.modalities=[optical] or [sar].
_base_ = [
    "../_base_/models/segformer_mit-b4.py",
    "../_base_/datasets/whu-opt-sar.py",
    "../_base_/schedules/schedule_30e.py",
    "../_base_/default_runtime.py",
]
model = _base_.network
test_evaluator = _base_.land_cover_metrics
