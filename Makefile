# Everything happens in .venv, from hash-locked requirements. Works with GNU make 3.81 and later.

# The pythons to try, in this order; `make setup PYTHON=/path/to/python3` asks for one by name.
PYTHON ?= python3 python3.13 python3.12 python3.11 python3.14
ARGS ?=
# One more than there are cores: many tests wait for processes of their own.
WORKERS = $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
VENUE ?=
# A test is ended after 60 s. What it shows of its threads then is lost in a worker: shown before.
STACKS = -o faulthandler_timeout=50
# The last result of each test, for `hydra-trader evidence`.
RESULTS = --results=runs/tests/results.json
UV ?= .venv/bin/uv

# 3.15 and later: the lock has no wheels for them yet, and nothing here is built from source.
SUITABLE := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
INSTALL := .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input
LOCKED := --require-hashes --only-binary :all:
COMPILE = $(UV) pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--only-binary :all: --no-annotate --custom-compile-command "make lock" \
	--no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade)

# Compiled once: else each process that is started compiles the whole engine anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup dev run test slow fuzz prove sensitivity lint docs bench pretag lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

setup: .venv/.setup ## build .venv with what Hydra needs to run (the others call it)

dev: .venv/.dev ## the same, and what its tests and checks need

run: setup ## run the engine on the embedded venue; VENUE=paper for Alpaca, ARGS="--once" and so on
	.venv/bin/python -m hydra.main $(if $(VENUE),--venue $(VENUE)) $(ARGS)

test: dev ## run the tests, on all cores; ARGS=tests/trading for some of them
	.venv/bin/python -m pytest -q -n $(WORKERS) --dist worksteal -m "not slow" $(STACKS) $(RESULTS) $(ARGS)

slow: dev ## run the tests that take long, one worker a core: stress tests need theirs
	.venv/bin/python -m pytest -q -n auto --dist worksteal -m slow $(RESULTS) $(ARGS)

fuzz: dev ## feed spoilt input to all that reads any, a minute each; ARGS="settings --seconds 600" for one
	.venv/bin/python -m tests.fuzz $(ARGS)

prove: setup ## play 10,000 days of the engine under faults, on all cores; ARGS="--days 100" for fewer
	.venv/bin/hydra-trader prove --days 10000 $(ARGS)

sensitivity: dev ## plant bugs, one at a time, and see which tests notice; ARGS="I31 gate" for some
	.venv/bin/python -m tests.sensitivity $(ARGS)

lint: dev ## check style, types and the direction of imports
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo

docs: dev ## write the pages of docs/ that are made from the code
	.venv/bin/python -m tests.docs

bench: setup ## qualify this machine: latency, throughput, durability; ARGS=--quick
	.venv/bin/hydra-trader bench $(ARGS)

pretag: dev ## see whether this folder is fit to be tagged as a release: version, changelog, tests, baseline
	.venv/bin/python -m tests.release
	$(MAKE) lint test
	.venv/bin/hydra-trader regress

lock: $(if $(filter .venv/%,$(UV)),dev) ## write the requirements files anew from pyproject.toml; UPGRADE=1 for the newest versions
	$(COMPILE) --group build --output-file requirements.lock pyproject.toml
	$(COMPILE) --group build --group dev --all-extras --constraint requirements.lock \
		--output-file requirements-dev.lock pyproject.toml

clean: ## remove .venv, caches and build products; settings, state, logs and runs stay
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	rm -rf .import_linter_cache
	find actors hydra messages supervisors tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Hydra itself is installed as a path to this folder (`compat`), which tools can follow and which
# costs nothing at start; setuptools comes from the lock. pyproject.toml names the command.
.venv/.setup: requirements.lock pyproject.toml
	@if ! { .venv/bin/python -c '$(SUITABLE)' && .venv/bin/python -m pip --version; } \
		>/dev/null 2>&1; then \
		found=; \
		for python in $(PYTHON); do \
			if "$$python" -c '$(SUITABLE)' >/dev/null 2>&1; then found=$$python; break; fi; \
		done; \
		if [ -z "$$found" ]; then \
			echo "no usable Python among: $(PYTHON); wanted 3.11 to 3.14 with venv" \
				"(Debian and Ubuntu: apt install python3-venv); or say make setup PYTHON=..." >&2; \
			exit 1; \
		fi; \
		rm -rf .venv && "$$found" -m venv .venv; \
	fi
	@echo "Installing into .venv ($$(.venv/bin/python -V)); once, about a minute."
	@$(INSTALL) $(LOCKED) -r requirements.lock
	@$(INSTALL) --no-index --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
	@touch $@

.venv/.dev: .venv/.setup requirements-dev.lock
	@echo "Installing the tools for tests and checks; once."
	@$(INSTALL) $(LOCKED) -r requirements-dev.lock
	@touch $@
