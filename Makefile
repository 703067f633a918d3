# One word per job, the same for people and for CI. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3.14 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
LOCKS := requirements.lock requirements-dev.lock requirements-build.lock

# The tool that writes the lock files; it stays out of the project's own environment.
UV_VERSION := 0.13.9
UV := $(VENV)/locking/bin/uv
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

# The packages of the web pages, copied from npm's into the folder that is served.
WEB := gridsvc/web
PAGES := $(WEB)/vendor/licences.txt

.PHONY: help up install servers browser test check bench lock clean

help: ## list these words
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: install ## start everything on this machine and keep it running until Ctrl-C (ARGS="--home DIR --no-demo")
	@exec $(BIN)/gridsvc up $(ARGS)

install: servers $(INSTALLED) $(PAGES) ## install what is missing: PostgreSQL with PostGIS, RabbitMQ, npm, packages of Python and of the pages

servers:
	@PYTHON="$(PYTHON)" gridsvc/local/install-packages.sh

$(INSTALLED): $(LOCKS) pyproject.toml | servers
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the Python packages"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-build.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(PAGES): $(WEB)/package-lock.json $(WEB)/install.mjs | servers
	@echo "installing the packages of the web pages"
	@cd $(WEB) && npm ci --silent --no-fund --no-audit && node install.mjs

browser: install
	@PYTHON="$(PYTHON)" gridsvc/local/install-packages.sh --browser

check: install ## ruff, mypy, and the types of the web pages
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(WEB)/node_modules/.bin/tsc --project $(WEB)

# Two at a time, each with private servers of its own; the acceptance tests start processes enough by themselves.
SPREAD := --numprocesses 2 --dist worksteal

test: check browser ## what CI runs: check, then the tests on asyncio's debug loop and on uvloop, then a browser's
	$(BIN)/pytest --loop debug --ignore tests/acceptance --ignore tests/browser $(SPREAD)
	$(BIN)/pytest --loop uvloop --ignore tests/acceptance --ignore tests/browser $(SPREAD)
	$(BIN)/pytest --loop uvloop tests/acceptance --durations 15
	$(BIN)/pytest --loop uvloop tests/browser --durations 15

bench: install ## measure; results go to bench/results (ARGS for one measurement)
	@exec $(BIN)/python -m bench $(ARGS)

lock: install $(UV) ## write the lock files anew from pyproject.toml, keeping versions that still fit
	$(COMPILE) pyproject.toml --output-file requirements.lock
	$(COMPILE) pyproject.toml --extra dev --output-file requirements-dev.lock
	$(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['build-system']['requires'], sep='\n')" \
	  | $(COMPILE) - --output-file requirements-build.lock

$(UV): | install
	@$(PYTHON) -m venv $(VENV)/locking
	@$(VENV)/locking/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

clean: ## remove the Python environment and caches; the data in .grid stays
	rm -rf $(VENV) $(WEB)/node_modules $(WEB)/vendor .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
