# CloudSeg on WHU-OPT-SAR: the student, distilled from a teacher that sees the cloud-free image.
_base_ = "./cloudseg_student_whu-opt-sar.py"

teacher_config = "cloudseg_teacher_whu-opt-sar.py"
model = dict(
    _delete_=True,
    architecture=_base_.model,
    teacher=_base_.teacher,
    teacher_ckpt="work_dirs/cloudseg_teacher_whu-opt-sar/best.pth",
    **_base_.distill,
)
