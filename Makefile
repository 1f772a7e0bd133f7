# Two commands: `make train` and `make test`. VENV=path uses an environment that is there already.
VENV ?= .venv
PYTHON ?= python3
PY := $(VENV)/bin/python
# The set to train on: mini (M3M-CR's layout), whu or luojia. All are procedural and made here.
DATA ?= mini
DATA_mini := data/mini_m3mcr
DATA_whu := data/mini_whu-opt-sar/256
SCENES_whu := data/mini_whu-opt-sar_scenes
DATA_luojia := data/mini_luojia-osfcr
NAME_mini := mini
NAME_whu := mini-whu
NAME_luojia := mini-luojia
ROOT := $(or $(DATA_$(DATA)),$(error DATA=$(DATA): expected mini, whu or luojia))
CONFIG := configs/cloudseg_$(NAME_$(DATA)).py
WORK ?= work_dirs/cloudseg_$(NAME_$(DATA))
STAMP := $(VENV)/.mmcloudseg-installed
REQUIREMENTS := $(wildcard requirements/*.txt) setup.py mmcloudseg/version.py

.PHONY: help train test lint install clean data-mini data-whu data-luojia
.DELETE_ON_ERROR:

help:  ## What can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

train: install data-$(DATA)  ## Data set, teacher, student, scores, pictures: minutes on a CPU; DATA=whu|luojia for others
	$(PY) tools/train.py $(CONFIG) --data-root $(ROOT) --work-dir $(WORK) --resume
	$(PY) tools/test.py $(CONFIG) $(WORK)/best.pth --data-root $(ROOT) \
	  --work-dir $(WORK)/test --show-dir $(WORK)/pictures --out $(WORK)/test

test: install  ## The whole suite
	$(PY) -m pytest -n auto --dist worksteal

lint: install  ## Style, direction of imports, types
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(VENV)/bin/lint-imports
	$(PY) -m mypy

install: $(STAMP)  ## The environment, in $(VENV)

$(STAMP): $(REQUIREMENTS)
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --progress-bar on -r requirements.txt -e .
	# MMCV asks for OpenCV with windows, which needs libGL; machines without a screen often lack it.
	$(PY) -c "import cv2" 2>/dev/null || { $(PY) -m pip uninstall -y opencv-python && \
	  $(PY) -m pip install --force-reinstall --no-deps opencv-python-headless; }
	touch $@

data-mini: install
	test -f $(DATA_mini)/test.csv || $(PY) tools/make_mini_m3mcr.py $(DATA_mini)

data-whu: install
	test -d $(SCENES_whu) || $(PY) tools/make_mini_whu_opt_sar.py $(SCENES_whu)
	$(PY) tools/dataset_converters/whu_opt_sar.py $(SCENES_whu) $(dir $(DATA_whu)) \
	  --tile-size 256 --subset

data-luojia: install
	test -d $(DATA_luojia) || $(PY) tools/make_mini_luojia.py $(DATA_luojia)

clean:  ## Remove results and the procedural data sets
	rm -rf work_dirs data/mini_m3mcr data/mini_whu-opt-sar data/mini_whu-opt-sar_scenes data/mini_luojia-osfcr
