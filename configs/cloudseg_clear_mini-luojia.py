# Study of clouds in training: the student on clear images alone, tested under the set's own clouds.
_base_ = "./cloudseg_simulated_mini-luojia.py"

train_dataloader = val_dataloader = _base_.clear_images
