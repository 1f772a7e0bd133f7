# CloudSeg on M3M-CR: the student, distilled from a teacher that sees the cloud-free image.
_base_ = "./cloudseg_student_m3mcr.py"

teacher_config = "cloudseg_teacher_m3mcr.py"
model = dict(
    _delete_=True,
    architecture=_base_.model,
    teacher=_base_.teacher,
    teacher_ckpt="work_dirs/cloudseg_teacher_m3mcr/best.pth",
    **_base_.distill,
)
