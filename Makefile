# Every verb sets up what it needs. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PYTHONSAFEPATH := 1
export PYTHONDONTWRITEBYTECODE := 1
PYTHON ?= python3
PY := .venv/bin/python

.PHONY: help demo test cover check verify bench dev image docs clean

help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.ready: requirements/dev.txt pyproject.toml
	@echo "setting up .venv (half a minute, once)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	@$(PYTHON) -m venv --clear .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: .venv/.ready ## tell the product's story on a real control plane (KEEP=1 leaves it running)
	@$(PY) -m golive_dev.demo $(if $(KEEP),--keep)

NONE := 5# what pytest ends with when ARGS leaves it no test to run

test: .venv/.ready ## run every test (ARGS="-k gate" passes arguments on)
	@$(PY) -m golive_dev build
	@$(PY) -m pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder -m "not alone" $(ARGS) || [ $$? -eq $(NONE) ]
	@$(PY) -m pytest -m alone $(ARGS) || [ $$? -eq $(NONE) ]

PURE := tests/decisions tests/api tests/engine/desk $(addprefix tests/engine/test_,$(addsuffix .py, \
	applied_stops risk_gate correlation order_rate global_risk protection jobs_rebalance strategy_and_risk strategy_baseline \
	order_states gate_state kill_protocol venue_verdicts venue_readings venue_methods journal trading_an_account))

cover: .venv/.ready ## measure how much of the pure code its tests reach; fail below 95 % of all branches
	@$(PY) -m coverage run --data-file=.venv/.coverage -m pytest --quiet $(PURE)
	@$(PY) -m coverage report --data-file=.venv/.coverage

check: .venv/.ready ## lint, types, layers, charts
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/ruff check --quiet .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache

verify: .venv/.ready ## regenerate everything that is generated; fail if that changes a file
	@$(PY) -m golive_dev.generate --check || { $(PY) -m golive_dev.generate; exit 1; }

bench: .venv/.ready ## print medians and p99 beside those of peers
	@$(PY) -m golive_dev build
	@$(PY) benchmarks/run.py

dev: .venv/.ready ## start a control plane with a node and keep it until Ctrl-C
	@$(PY) -m golive_dev up

image: ## build the container image with the builder at hand
	@builder=$$(command -v buildah || command -v podman || command -v docker) || { echo "needs buildah, podman or docker"; exit 1; }; \
	"$$builder" build --target operator --tag golive/golive . && "$$builder" build --target engine --tag golive/golive-engine .

docs: .venv/.ready ## write the generated reference pages
	@$(PY) -m golive_dev.generate

clean: ## remove what the other verbs made here (not the cache of built binaries)
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
