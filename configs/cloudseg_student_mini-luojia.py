# CloudSeg's student alone on the mini LuojiaSET-OSFCR, without a teacher: land cover and cloud removal.
_base_ = [
    "_base_/models/cloudseg_mit-b0.py",
    "_base_/datasets/mini_luojia-osfcr.py",
    "_base_/schedules/schedule_mini.py",
    "_base_/default_runtime.py",
]
model = _base_.network
teacher = _base_.network
test_evaluator = dict(metrics=_base_.cloud_removal_metrics)
