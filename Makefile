.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 5000
BIN := .venv/bin
# A mirror that pip is told of serves uv too.
UV = index="$${PIP_INDEX_URL:-$$($(BIN)/python -m pip config get global.index-url 2>/dev/null)}"; \
  VIRTUAL_ENV=.venv $${index:+env UV_DEFAULT_INDEX="$$index"} $(BIN)/uv
RUN_ENV := DO_NOT_TRACK=true DVC_NO_ANALYTICS=1
# Stages of dvc.yaml, and plain commands of the documents, find kedro and dvc by their names.
IN_VENV := PATH="$(CURDIR)/$(BIN):$$PATH" $(RUN_ENV)

.PHONY: help setup quick run repro test lint ui viz s3 bench lock clean reset

help: ## List what there is
	@echo "make …"
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

quick: setup ## Set up, and compare two classical models on a part of the sample, in less than a minute
	$(RUN_ENV) $(BIN)/kedro run --env quick --pipelines scrape,download,subset,sift,bow_svm,bow_svm_dense,report

run: setup ## Set up, and do the main job: museum to compared models (kedro run)
	$(RUN_ENV) $(BIN)/kedro run

repro: setup ## Set up, and do what is not up to date by dvc.lock (dvc repro); says whether the same bytes came
	$(IN_VENV) $(BIN)/dvc repro
	@git diff --quiet -- dvc.lock && echo "The bytes are those of the committed dvc.lock." \
	  || echo "Not the bytes of the committed dvc.lock: git diff dvc.lock names what differs."

# Three on two cores: those that wait for a server, a browser or a process leave a core to the third.
test: setup ## Set up, and run the tests
	$(RUN_ENV) $(BIN)/python -m pytest -n 3 --dist loadfile

lint: setup ## Check style, the direction of imports, and that dvc.yaml is what the pipelines ask for
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/kedro dvc --check

ui: setup ## Open the MLflow page of the experiment (Ctrl-C ends it)
	$(RUN_ENV) $(BIN)/kedro ui --port $(PORT)

viz: setup ## Show the pipeline by layers in the browser (Ctrl-C ends it)
	$(RUN_ENV) $(BIN)/kedro viz run

s3: setup ## Serve S3 on this machine, as the DVC remote "local" (Ctrl-C ends it)
	$(RUN_ENV) $(BIN)/kedro s3

bench: setup ## Measure against plain ways to do the same (two hours); writes benchmarks/RESULTS.md
	$(RUN_ENV) $(BIN)/python benchmarks/results.py $(if $(MUSEUM),--museum $(MUSEUM) --departments $(DEPARTMENTS)) $(if $(IMAGENET),--imagenet)

lock: setup ## Pin every package anew in requirements.lock
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --all-extras --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links --upgrade -o requirements.lock

# Not by git clean: of a folder that it ignores, it removes all where a pattern names a part. What a run
# cannot make again stays: data/00_external, what a museum changed, signatures.
remove = for folder in $(1); do if [ -d "$$folder" ]; then find "$$folder" -mindepth 1 -depth \( -type d -empty \
  -o ! -type d ! -name .gitkeep ! -name signature.json ! -path '*/museum_changes/*' \) -delete; fi; done

clean: ## Remove what runs made, but neither downloads nor MLflow's runs
	@$(call remove,data/0[2-8]_* data/[!0]*/0[2-8]_*)

reset: ## Remove that, and the downloads and MLflow's runs too; your own data in data/00_external stays
	@$(call remove,data/0[1-8]_* data/[!0]*/0[1-8]_* mlruns)

setup: .venv/ready ## Create .venv with every package as pinned in requirements.lock

# uv installs several times faster than pip, and is pinned by the same lock. Compiled once here,
# packages import faster for ever.
.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	  || { echo "Python 3.11, 3.12 or 3.13 is needed, and $(PYTHON) is $$($(PYTHON) --version). Try make PYTHON=python3.12 …"; exit 1; }
	@echo "Setting up .venv with the $$(grep -c '^[a-z].*==' requirements.lock) packages of requirements.lock: once, some minutes, 3.8 GB."
	@echo "1/4 Create .venv"
	@$(PYTHON) -m venv --clear .venv
	@echo "2/4 Install uv, which installs the rest"
	@sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt
	@echo "3/4 Download, install and compile the packages"
	@$(UV) pip sync --require-hashes --compile-bytecode requirements.lock
	@echo "4/4 Install art_pipeline"
	@$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -c 'import cv2' || { echo "OpenCV needs two system libraries; on Debian: apt-get install libgl1 libglib2.0-0"; exit 1; }
	@if git rev-parse --git-dir >/dev/null 2>&1; then $(BIN)/kedro dvc --plots; fi
	@touch $@
