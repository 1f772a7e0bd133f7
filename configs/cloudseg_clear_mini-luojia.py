# Study of clouds in training: the student on clear images alone, tested under the set's own clouds.
_base_ = "./cloudseg_simulated_mini-luojia.py"

clear = dict(dataset=dict(optical="cloud_free"))
train_dataloader = clear
val_dataloader = clear
