# Study of clouds in training: the student under simulated clouds, which WHU-OPT-SAR's always are.
_base_ = "./cloudseg_student_mini-whu.py"
