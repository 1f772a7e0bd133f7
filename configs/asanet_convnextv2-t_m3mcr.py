# ASANet as published (ConvNeXt-V2-T, which needs timm) on M3M-CR.
_base_ = [
    "_base_/models/asanet_convnextv2-t.py",
    "_base_/datasets/m3mcr.py",
    "_base_/schedules/schedule_30e.py",
    "_base_/default_runtime.py",
]
model = dict(_base_.network, auxiliary_head=_base_.network.decode_head)
