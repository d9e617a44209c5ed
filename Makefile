# `make` lists the targets. Everything is installed into .venv.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# Python 3.11 to 3.13; any of them will do: make repro PYTHON=python3.12
PYTHON ?= python3
UPGRADE := --upgrade
# On a machine with a GPU: make repro GPU=1
LOCK := $(if $(GPU),requirements-gpu.lock,requirements.lock)

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export DVC_NO_ANALYTICS := true
export MLFLOW_DISABLE_TELEMETRY := true
export DO_NOT_TRACK := 1

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

.PHONY: repro
repro: setup scm ## download MNIST, train LeNet in both frameworks, compare
	@tandem check
	dvc repro | tee .venv/repro.log
	@grep -q '^# Pairs on' .venv/repro.log || cat reports/compare.md
	@echo 'Next: source .venv/bin/activate; then tandem report opens one page about the runs, tandem ui every run in MLflow.'

# DVC refuses a folder without Git, such as that of a downloaded archive, unless it is told.
.PHONY: scm
scm: setup
	@git rev-parse --git-dir >/dev/null 2>&1 || { \
		echo 'No Git here: runs are recorded without a commit, and `dvc exp` and `tandem reproduce` need one.'; \
		dvc config --quiet --local core.no_scm true; }

.PHONY: test
test: setup ## every test, end to end too, a process for each core
	pytest --numprocesses logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: unit
unit: setup ## the tests that take a minute or two
	pytest --ignore=tests/end_to_end --ignore=tests/parity

.PHONY: faults
faults: setup ## every fault that the tests otherwise take a sample of (half an hour)
	pytest -m faults

.PHONY: gpu
gpu: setup ## what only a GPU can show: parity with the CPU, bits, memory, workers that share it, throughput
	pytest -m gpu -s tests/gpu

.PHONY: check
check: setup ## lint, format, types and layers
	ruff check
	ruff format --check
	mypy
	lint-imports --no-logo

.PHONY: parity
parity: setup ## prove that twins and settings are the same in both (needs prepared/, which make repro leaves)
	tandem parity --all --settings

.PHONY: heavy
heavy: setup ## the same for ResNet-101 (a quarter of an hour, 6 GB in /tmp, 12 GB of memory); every network in every format
	pytest -m heavy tests/parity tests/export

.PHONY: published
published: setup ## train the recipes with published results, three seeds each (takes long, resumes)
	tandem published

.PHONY: bench
bench: setup ## throughput, trials, sweeps and their controller, the report page, against goals (wants an idle machine, and an hour)
	python -m benchmarks.throughput
	python -m benchmarks.trials
	python -m benchmarks.sweep
	python -m benchmarks.coordination --workers 1 16 128
	python -m benchmarks.page

.PHONY: pictures
pictures: repro ## make the pictures of README.md again, from real runs (wants Chromium)
	tandem parity --all
	mkdir -p docs/images
	cp by-hand/reports/parity.png docs/images/parity.png
	python -m docs.pictures

.PHONY: experiments
experiments: setup ## what dvc exp run has tried: accuracies, and the settings that differ (dvc exp show has every column)
	dvc exp show --only-changed --keep '.*accuracy$$' --drop 'Created|\.tandem/|(sweep|engines)\.|[a-z_]+(/|$$)|.*(_difference|mcnemar_p)'

.PHONY: ui
ui: setup ## serve MLflow over mlruns/ on this machine
	tandem ui

.PHONY: setup
setup: .venv/installed-$(LOCK) ## create .venv with the pinned packages

.venv/installed-$(LOCK): $(LOCK) pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else f"make: PYTHON: expected Python 3.11 to 3.13; got {v[0]}.{v[1]}; run make PYTHON=python3.11")'
	@echo 'Installing into .venv (about 4 GB, some minutes) ...'
	$(PYTHON) -m venv .venv
	pip install --quiet --requirement $(LOCK) 2>&1 | { grep -v 'is ignored: it is neither' || true; }
	pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# CUDA's packages are left out of the plain lock: where torch needs them, it names their exact versions itself.
.PHONY: lock
lock: setup ## pin the newest versions that pyproject.toml admits (make lock UPGRADE= keeps those that are pinned)
	uv pip compile --quiet --universal --python-version 3.11 $(UPGRADE) --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
		--all-extras pyproject.toml --output-file requirements-gpu.lock
	uv pip compile --quiet --universal --python-version 3.11 $(UPGRADE) --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
		--extra dev pyproject.toml | grep -vE '^(nvidia|cuda|triton)' > requirements.lock
	sed -i -E 's/^(torch==[0-9.]+)\+[a-z0-9]+/\1/' requirements.lock requirements-gpu.lock
