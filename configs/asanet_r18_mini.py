# ASANet on ResNet-18 on the mini M3M-CR.
_base_ = [
    "_base_/models/asanet_r18.py",
    "_base_/datasets/mini_m3mcr.py",
    "_base_/schedules/schedule_mini.py",
    "_base_/default_runtime.py",
]
model = dict(_base_.network, auxiliary_head=_base_.network.decode_head)
