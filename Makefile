# Two commands: `make train` and `make test`. VENV=path uses an environment that is there already.
VENV ?= .venv
PYTHON ?= python3
PY := $(VENV)/bin/python
DATA ?= data/mini_m3mcr
WORK ?= work_dirs/cloudseg_mini
CONFIG := configs/cloudseg_mini.py
STAMP := $(VENV)/.mmcloudseg-installed
REQUIREMENTS := $(wildcard requirements/*.txt) setup.py mmcloudseg/version.py

.PHONY: help train test lint install clean
.DELETE_ON_ERROR:

help:  ## What can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

train: install $(DATA)/test.csv  ## Mini data set, teacher, student, scores and pictures: minutes on a CPU
	$(PY) tools/train.py $(CONFIG) --data-root $(DATA) --work-dir $(WORK) --resume
	$(PY) tools/test.py $(CONFIG) $(WORK)/best.pth --data-root $(DATA) \
	  --work-dir $(WORK)/test --show-dir $(WORK)/pictures --out $(WORK)/test

test: install  ## The whole suite
	$(PY) -m pytest -n auto --dist worksteal

lint: install  ## Style
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

install: $(STAMP)  ## The environment, in $(VENV)

$(STAMP): $(REQUIREMENTS)
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --progress-bar on -r requirements.txt -e .
	# MMCV asks for OpenCV with windows, which needs libGL; machines without a screen often lack it.
	$(PY) -c "import cv2" 2>/dev/null || { $(PY) -m pip uninstall -y opencv-python && \
	  $(PY) -m pip install --force-reinstall --no-deps opencv-python-headless; }
	touch $@

$(DATA)/test.csv:
	$(PY) tools/make_mini_m3mcr.py $(DATA)

clean:  ## Remove results and the mini data set
	rm -rf work_dirs data/mini_m3mcr
