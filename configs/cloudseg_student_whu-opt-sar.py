# The student alone: land cover and cloud removal, without a teacher.
_base_ = [
    "_base_/cloudseg/whu-opt-sar.py",
    "_base_/schedules/schedule_30e.py",
    "_base_/default_runtime.py",
]
model = _base_.student
