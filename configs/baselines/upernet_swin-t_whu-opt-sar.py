# UPerNet on Swin-T on WHU-OPT-SAR, optical and SAR bands stacked.
_base_ = [
    "../_base_/models/upernet_swin-t.py",
    "../_base_/datasets/whu-opt-sar.py",
    "../_base_/schedules/schedule_30e.py",
    "../_base_/default_runtime.py",
]
model = dict(_base_.network, auxiliary_head=_base_.network.decode_head)
