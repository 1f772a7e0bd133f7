# Study of clouds in training: the student under simulated clouds, as cloudseg_student_mini-whu.py.
_base_ = "./cloudseg_student_mini-whu.py"
