# CloudSeg on the mini LuojiaSET-OSFCR: the student, distilled from a teacher that sees the cloud-free image.
_base_ = "./cloudseg_student_mini-luojia.py"

teacher_config = "cloudseg_teacher_mini-luojia.py"
model = dict(
    _delete_=True,
    architecture=_base_.model,
    teacher=_base_.teacher,
    teacher_ckpt="work_dirs/cloudseg_teacher_mini-luojia/best.pth",
    **_base_.distill,
)
