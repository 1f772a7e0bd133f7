# DeepLabV3+ on ResNet-50 on the mini M3M-CR, optical and SAR bands stacked.
_base_ = [
    "../_base_/models/deeplabv3plus_r50.py",
    "../_base_/datasets/mini_m3mcr.py",
    "../_base_/schedules/schedule_mini.py",
    "../_base_/default_runtime.py",
]
model = dict(
    _base_.network,
    backbone=dict(_base_.network.backbone, pretrained=False),
    auxiliary_head=_base_.network.decode_head,
)
