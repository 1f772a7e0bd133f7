# Study of clouds in training: the student on clear images alone, tested under clouds.
_base_ = "./cloudseg_student_mini-whu.py"

clear = dict(dataset=dict(optical="cloud_free"))
train_dataloader = clear
val_dataloader = clear
