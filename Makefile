.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
PORT ?= 5000
BIN := .venv/bin
# uv uses the package index that pip is configured with.
UV = index="$${PIP_INDEX_URL:-$$($(BIN)/python -m pip config get global.index-url 2>/dev/null)}"; \
  VIRTUAL_ENV=.venv $${index:+env UV_DEFAULT_INDEX="$$index"} $(BIN)/uv
RUN_ENV := DO_NOT_TRACK=true DVC_NO_ANALYTICS=1
# The stages of dvc.yaml and the notebooks call kedro by its name.
IN_VENV := PATH="$(CURDIR)/$(BIN):$$PATH" $(RUN_ENV)
LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
  --no-emit-index-url --no-emit-find-links --upgrade
CRATE_VALIDATOR := .venv/crate-validator
IIIF_VALIDATOR := .venv/iiif-validator

.PHONY: help setup packages opencv quick run repro web test test-slow test-services services spark lint docs ui viz serve s3 bench lock clean reset

help: ## List the targets
	@echo "make …"
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

quick: setup ## Train and compare two classical models on a part of the sample: less than a minute
	$(RUN_ENV) $(BIN)/kedro run --env quick --pipelines scrape,download,features_sift,subset_department,bow_svm,bow_svm_dense,report

run: setup ## Run the whole pipeline, from the museum's API to the report (kedro run)
	$(RUN_ENV) $(BIN)/kedro run

repro: setup ## Run the stages that are not up to date with dvc.lock, and compare the outputs (dvc repro)
	$(IN_VENV) $(BIN)/dvc repro
	@git diff --quiet -- dvc.lock && echo "The outputs are identical to those of the committed dvc.lock." \
	  || echo "The outputs differ from those of the committed dvc.lock: see git diff dvc.lock."

# Three workers on two cores: some tests wait for a process or a server. COVERAGE=yes takes half as long again.
# An image may forbid bytecode files, without which every worker compiles all tests.
PYTEST = $(RUN_ENV) PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --dist loadfile --no-loadscope-reorder

test: setup ## Run the tests that need no services
	$(PYTEST) -n 3 \
	  $(if $(COVERAGE),--cov=art_pipeline --cov-report=term:skip-covered) $(PYTEST_OPTIONS)

test-slow: setup ## Run the end-to-end tests that take more than about 15 seconds each
	$(PYTEST) -n 3 -m 'slow and not services' $(PYTEST_OPTIONS)

test-services: setup services spark $(CRATE_VALIDATOR)/ready $(IIIF_VALIDATOR)/ready ## Install what the service tests need (Debian, as root), and run them: Chromium, S3, MariaDB, Spark, RO-Crate, IIIF
	$(PYTEST) -n 2 -m services $(PYTEST_OPTIONS)

SERVICES := chromium util-linux default-jre-headless mariadb-server libmariadb-java

services:
	@[ -e /usr/bin/chromium -a -e /usr/bin/setpriv -a -e /usr/sbin/mariadbd -a -e /usr/share/java/mariadb-java-client.jar ] \
	  && command -v java >/dev/null && exit 0; \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $(SERVICES) >/dev/null; \
	  else echo "The service tests need some programs. Install them, on Debian: apt-get install $(SERVICES)"; exit 1; fi

# It is not part of requirements.lock, and a change of that lock removes it again.
spark: setup ## Install Spark into .venv, 460 MB; it needs Java: docs/spark.md
	@$(BIN)/python -c 'import pyspark' 2>/dev/null || \
	  $(UV) pip install --quiet --no-deps --no-build-isolation --require-hashes -r requirements-spark.lock

# The validators of RO-Crates and of IIIF need other versions of packages than the project.
$(CRATE_VALIDATOR)/ready: tests/services/crate_validator.lock | .venv/ready
$(IIIF_VALIDATOR)/ready: tests/services/iiif_validator.lock | .venv/ready
$(CRATE_VALIDATOR)/ready $(IIIF_VALIDATOR)/ready:
	@$(PYTHON) -m venv --clear $(@D)
	@$(subst VIRTUAL_ENV=.venv,VIRTUAL_ENV=$(@D),$(UV)) pip sync --quiet --require-hashes $<
	@touch $@

lint: setup ## Check style, types, the direction of imports, and that dvc.yaml matches the pipelines
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(BIN)/kedro dvc --check

docs: setup ## Build the documentation in docs/_build
	$(RUN_ENV) $(BIN)/python -m sphinx -W --keep-going -q -c docs . docs/_build
	@echo "Open docs/_build/index.html"

web: setup ## Explore, predict and review on a web page of the latest run (stop with Ctrl-C)
	$(RUN_ENV) $(BIN)/kedro web start $(if $(ENV),--env $(ENV))

ui: setup ## Open MLflow's page of the experiment (stop with Ctrl-C)
	$(RUN_ENV) $(BIN)/kedro ui --port $(PORT)

viz: setup ## Show the pipeline in the browser (stop with Ctrl-C)
	$(RUN_ENV) $(BIN)/kedro viz run

serve: setup ## Serve a trained model over HTTP: make serve MODEL=bow_svm (stop with Ctrl-C)
	$(RUN_ENV) $(BIN)/kedro serve $(MODEL) --port $(PORT) $(if $(WORKERS),--workers $(WORKERS))

s3: setup ## Start a local S3 server as the DVC remote "local" (stop with Ctrl-C)
	$(RUN_ENV) $(BIN)/kedro s3

bench: setup ## Run the benchmarks, two hours; writes benchmarks/RESULTS.md
	$(RUN_ENV) $(BIN)/python benchmarks/results.py $(if $(MUSEUM),--museum $(MUSEUM) --departments $(DEPARTMENTS)) $(if $(IMAGENET),--imagenet)

lock: setup ## Update the pinned versions of all packages
	$(BIN)/$(LOCK) --all-extras --no-emit-package pyspark --no-emit-package py4j -o requirements.lock pyproject.toml
	sed -n 's/^spark = .*"\(pyspark[^"]*\)".*/\1/p' pyproject.toml | $(BIN)/$(LOCK) -o requirements-spark.lock -
	sed -n 's/^opencv-python==\([^ ]*\).*/opencv-python-headless==\1/p' requirements.lock \
	  | $(BIN)/$(LOCK) --no-deps -o requirements-headless.lock -
	$(BIN)/$(LOCK) -o tests/services/crate_validator.lock tests/services/crate_validator.in
	$(BIN)/$(LOCK) -o tests/services/iiif_validator.lock tests/services/iiif_validator.in

# Not git clean: it would remove a whole ignored folder where a pattern matches a part of it.
# Kept is what no run can write again: data/00_external, museum_changes, signatures.
remove = for folder in $(1); do if [ -d "$$folder" ]; then find "$$folder" -mindepth 1 -depth \( -type d -empty \
  -o ! -type d ! -name .gitkeep ! -name signature.json ! -path '*/museum_changes/*' \) -delete; fi; done

clean: ## Remove the outputs of runs; keep downloads and MLflow's runs
	@$(call remove,data/0[2-8]_* data/[!0]*/0[2-8]_*)

reset: ## Remove outputs, downloads and MLflow's runs; keep data/00_external
	@$(call remove,data/0[1-8]_* data/[!0]*/0[1-8]_* mlruns)

setup: .venv/ready ## Create .venv with the packages pinned in requirements.lock

.venv/ready: .venv/packages pyproject.toml
	@echo "4/4 Install art_pipeline"
	@$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@if git rev-parse --git-dir >/dev/null 2>&1; then $(BIN)/kedro dvc --plots; fi
	@touch $@

# By content: git changes the times of files, and packages are installed again only where a lock changed.
.venv/packages: requirements.lock requirements-headless.lock
	@[ "$$(cksum $^)" = "$$(cat $@ 2>/dev/null)" ] || $(MAKE) --no-print-directory packages
	@cksum $^ > $@

# uv installs several times faster than pip, and is pinned by the same lock. Packages are compiled
# here once, so that every import is faster.
packages:
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
	@$(MAKE) --no-print-directory opencv

# opencv-python needs libGL and libglib. Where they are missing, the headless build of the same version
# replaces its files; the metadata of both stay, so that records name the pinned package.
opencv:
	@$(BIN)/python -c 'import cv2' 2>/dev/null || { \
	  echo "    OpenCV finds no libGL or libglib: installing opencv-python-headless in its place"; \
	  rm -rf .venv/lib/python*/site-packages/{cv2,opencv_python.libs}; \
	  $(UV) pip install --quiet --no-deps --require-hashes --compile-bytecode -r requirements-headless.lock && \
	  $(BIN)/python -c 'import cv2'; }
