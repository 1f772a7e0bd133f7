# The teacher: no spatial gate, no cloud removal, trained on the cloud-free image.
_base_ = [
    "_base_/cloudseg/m3mcr.py",
    "_base_/schedules/schedule_30e.py",
    "_base_/default_runtime.py",
]
model = _base_.teacher
clear = dict(dataset=dict(optical="cloud_free"))
train_dataloader = clear
val_dataloader = clear
test_dataloader = clear
test_evaluator = _base_.land_cover_metrics
