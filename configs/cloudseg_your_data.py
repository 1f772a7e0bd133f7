# CloudSeg on files of your own: the student, distilled from a teacher that sees the cloud-free image.
_base_ = "./cloudseg_student_your_data.py"

teacher_config = "cloudseg_teacher_your_data.py"
model = dict(
    _delete_=True,
    architecture=_base_.model,
    teacher=_base_.teacher,
    teacher_ckpt="work_dirs/cloudseg_teacher_your_data/best.pth",
    **_base_.distill,
)
