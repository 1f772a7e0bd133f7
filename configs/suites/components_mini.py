# What cloud removal and distillation add to CloudSeg, each alone and together.
title = "What each component adds"
data = "mini M3M-CR"
seeds = [0, 1, 2]
reference = "none"
metrics = {"PSNR cloudy (dB)": "cloud_removal/cloudy/PSNR"}
methods = dict(
    # It sees through the clouds: what the network could know, not a rival.
    teacher=dict(
        title="teacher, on the clear image", config="cloudseg_teacher_mini.py", bound=True
    ),
    none=dict(title="none", config="cloudseg_none_mini.py"),
    removal=dict(title="cloud removal", config="cloudseg_student_mini.py"),
    distillation=dict(
        title="distillation", config="cloudseg_distill-only_mini.py", teacher="teacher"
    ),
    both=dict(title="both (CloudSeg)", config="cloudseg_mini.py", teacher="teacher"),
)
