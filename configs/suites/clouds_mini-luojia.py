# The same study on the mini LuojiaSET-OSFCR, whose own clouds the training never sees.
_base_ = "./clouds_mini-whu.py"

data = "mini LuojiaSET-OSFCR"
methods = dict(
    clear=dict(config="cloudseg_clear_mini-luojia.py"),
    simulated=dict(config="cloudseg_simulated_mini-luojia.py"),
)
