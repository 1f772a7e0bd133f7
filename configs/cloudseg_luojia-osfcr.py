# CloudSeg on LuojiaSET-OSFCR: the student, distilled from a teacher that sees the cloud-free image.
_base_ = "./cloudseg_student_luojia-osfcr.py"

teacher_config = "cloudseg_teacher_luojia-osfcr.py"
model = dict(
    _delete_=True,
    architecture=_base_.model,
    teacher=_base_.teacher,
    teacher_ckpt="work_dirs/cloudseg_teacher_luojia-osfcr/best.pth",
    **_base_.distill,
)
