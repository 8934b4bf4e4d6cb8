# bgconsole: `make demo` shows it on a local sandbox, `make test` runs what CI runs.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
  if $$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
  >/dev/null 2>&1; then echo $$p; break; fi; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test check templates bench soak screenshots clean

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv/.demo ## Open the console on the sandbox: no cloud account, no Docker engine
	@$(BIN)/bgconsole demo $(ARGS)

test: check templates ## Run everything that CI runs
	$(BIN)/python -m pytest -n auto --ignore=tests/e2e $(ARGS)
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore=tests/e2e/docker tests/e2e $(ARGS)
	$(BIN)/python -m pytest tests/e2e/docker $(ARGS)

check: .venv/.dev .venv-tools/.done ## Lint, types, import contracts, templates
	$(BIN)/ruff check --output-format concise .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	.venv-tools/bin/hadolint rails_app/Dockerfile
	.venv-tools/bin/cfn-lint cfn/*.yml

templates: .venv-checkov/.done ## Look for open doors in the templates
	.venv-checkov/bin/checkov --config-file cfn/.checkov.yaml -d cfn

bench: .venv/.dev ## Print the figures that the documents quote
	$(BIN)/python -m pytest tests/bench -q -s --override-ini python_files='bench_*.py' --override-ini python_functions='bench_*'

soak: .venv/.dev ## Run the full matrices over HTTP, for as long as it takes
	$(BIN)/python -m pytest --soak $(ARGS)

screenshots: .venv/.dev ## Make the pictures in the README from the running console
	$(BIN)/python scripts/screenshots.py

clean: ## Remove what make installed or built
	rm -rf .venv .venv-tools .venv-checkov .build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "bgconsole needs Python 3.11, 3.12 or 3.13 with its venv module: install one of them (Debian: apt install python3 python3-venv; macOS: brew install python@3.13)"; exit 2; }
	$(PYTHON) -m venv .venv

.venv/.demo: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) -c constraints.txt -e '.[sandbox]'
	@touch $@

.venv/.dev: pyproject.toml constraints.txt | .venv/bin/python
	$(PIP) -c constraints.txt -e '.[sandbox,dev]'
	@touch $@ .venv/.demo

.venv-tools/.done: constraints-tools.txt | .venv/bin/python
	$(BIN)/python -m venv .venv-tools
	.venv-tools/bin/python -m pip install --quiet --disable-pip-version-check -r constraints-tools.txt
	@touch $@

.venv-checkov/.done: constraints-checkov.txt | .venv/bin/python
	$(BIN)/python -m venv .venv-checkov
	.venv-checkov/bin/python -m pip install --quiet --disable-pip-version-check -r constraints-checkov.txt
	@touch $@
