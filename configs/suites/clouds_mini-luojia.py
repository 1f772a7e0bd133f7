# Trained on clear images or under simulated clouds, and tested under the clouds of LuojiaSET-OSFCR itself.
_base_ = "./clouds_mini-whu.py"

data = "mini LuojiaSET-OSFCR"
methods = dict(
    clear=dict(config="cloudseg_clear_mini-luojia.py"),
    simulated=dict(config="cloudseg_simulated_mini-luojia.py"),
)
