# CloudSeg's student alone on files of your own, without a teacher: land cover and cloud removal.
_base_ = [
    "_base_/models/cloudseg_mit-b4.py",
    "_base_/datasets/your_data.py",
    "_base_/schedules/schedule_30e.py",
    "_base_/default_runtime.py",
]
model = _base_.network
teacher = _base_.network
test_evaluator = dict(metrics=_base_.cloud_removal_metrics)
