# UPerNet on a small Swin on the mini M3M-CR, optical and SAR bands stacked.
_base_ = [
    "../_base_/models/upernet_swin-mini.py",
    "../_base_/datasets/mini_m3mcr.py",
    "../_base_/schedules/schedule_mini.py",
    "../_base_/default_runtime.py",
]
model = dict(_base_.network, auxiliary_head=_base_.network.decode_head)
