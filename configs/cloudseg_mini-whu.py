# CloudSeg on the mini WHU-OPT-SAR: the student, distilled from a teacher that sees the cloud-free image.
_base_ = "./cloudseg_student_mini-whu.py"

teacher_config = "cloudseg_teacher_mini-whu.py"
model = dict(
    _delete_=True,
    architecture=_base_.model,
    teacher=_base_.teacher,
    teacher_ckpt="work_dirs/cloudseg_teacher_mini-whu/best.pth",
    **_base_.distill,
)
