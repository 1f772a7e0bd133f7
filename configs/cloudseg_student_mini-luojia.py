# The student alone: land cover and cloud removal, without a teacher.
_base_ = [
    "_base_/cloudseg/mini_luojia-osfcr.py",
    "_base_/schedules/schedule_mini.py",
    "_base_/default_runtime.py",
]
model = _base_.student
