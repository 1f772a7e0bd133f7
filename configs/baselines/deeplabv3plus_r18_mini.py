# A baseline: DeepLabV3+ on ResNet-18 on stacked optical and SAR bands; one modality alone by
# model.backbone.modalities=[optical] or [sar].
_base_ = [
    "../_base_/models/deeplabv3plus_r18.py",
    "../_base_/datasets/mini_m3mcr.py",
    "../_base_/schedules/schedule_mini.py",
    "../_base_/default_runtime.py",
]
model = dict(
    _base_.network,
    auxiliary_head=_base_.network.decode_head,
)
test_evaluator = _base_.land_cover_metrics
