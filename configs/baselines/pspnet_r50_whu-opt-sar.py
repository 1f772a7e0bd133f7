# A baseline: PSPNet on ResNet-50 on stacked optical and SAR bands; one modality alone by
# model.backbone.modalities=[optical] or [sar].
_base_ = [
    "../_base_/models/pspnet_r50.py",
    "../_base_/datasets/whu-opt-sar.py",
    "../_base_/schedules/schedule_30e.py",
    "../_base_/default_runtime.py",
]
model = dict(
    _base_.network,
    auxiliary_head=_base_.network.decode_head,
)
test_evaluator = _base_.land_cover_metrics
