# Study of clouds in training: the student on clear images alone, tested under clouds.
_base_ = "./cloudseg_student_mini-whu.py"

train_dataloader = val_dataloader = _base_.clear_images
