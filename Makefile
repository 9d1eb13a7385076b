.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
RUN_ENV := DO_NOT_TRACK=true DVC_NO_ANALYTICS=1

.PHONY: help setup run test lint ui viz lock clean

help: ## List what there is
	@echo "make …"
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup ## Set up, and do the main job: museum to compared models (kedro run)
	$(RUN_ENV) $(BIN)/kedro run

test: setup ## Set up, and run the tests
	$(RUN_ENV) $(BIN)/python -m pytest

lint: setup ## Check style, the direction of imports, and the lock
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo

ui: setup ## Open the MLflow page of the experiment (Ctrl-C ends it)
	$(RUN_ENV) $(BIN)/kedro ui

viz: setup ## Show the pipeline by layers in the browser (Ctrl-C ends it)
	$(RUN_ENV) $(BIN)/kedro viz run

lock: setup ## Pin every package anew in requirements.lock
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --all-extras --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links --upgrade -o requirements.lock

clean: ## Remove what runs made (data and MLflow's store), not the environment
	git clean -fdXq data mlruns

setup: .venv/ready ## Create .venv with every package as pinned in requirements.lock

# uv installs several times faster than pip, and is pinned by the same lock. Compiled once here,
# packages import faster for ever.
.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	  || { echo "Python 3.11, 3.12 or 3.13 is needed, and $(PYTHON) is $$($(PYTHON) --version). Try make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv .venv
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > .venv/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r .venv/uv.txt
	VIRTUAL_ENV=.venv $(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode requirements.lock
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
