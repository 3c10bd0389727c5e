# Workestra: `make` alone lists what can be done.

PYTHON ?= $(shell for one in python3.11 python3.12 python3.13 python3.14 python3; do \
	"$$one" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$one" && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LOCK := $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-emit-index-url \
	--no-emit-find-links --no-emit-trusted-host --no-header
# Checks read the settings but use no database and no secret of anybody's.
CHECKING := env WORKESTRA_SECRET_KEY=only-for-checks-only-for-checks-only-for-checks \
	WORKESTRA_TOKEN_KEYS=check:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= \
	_WORKESTRA_EMBEDDED_URL=postgresql://nobody@127.0.0.1:1/none _WORKESTRA_AS_OWNER=1
MESSAGES ?= 2000
SEEDS ?= 20
DAYS ?= 3
EVERY ?= 1
MINUTES ?= 10
PULL ?= 200000
RULES ?= 40
SEED ?= 1
T ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo sandbox test journeys prove prove-crash prove-processes prove-simulation prove-large prove-arrival prove-rules prove-mutants bench check lint types imports sizes migrations docs format lock

help: ## List what can be done
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

setup: .venv/.base ## Make .venv with what the product needs (once)

demo: .venv/.base ## Try it: database, Microsoft 365 sandbox, web and worker; Ctrl-C ends all (MESSAGES=2000)
	@exec $(BIN)/workestra demo --messages $(MESSAGES)

sandbox: .venv/.base ## The Microsoft 365 sandbox alone, on port 8365 (MESSAGES=2000)
	@exec $(BIN)/workestra sandbox --messages $(MESSAGES)

test: .venv/.dev ## Run all tests (T=tests/graph for some of them)
	@scripts/test_tools.sh
	$(BIN)/python -m pytest $(T)

journeys: .venv/.dev ## Run the tests that drive a real Chromium
	@scripts/test_tools.sh
	$(BIN)/python -m pytest -m journey $(T)

prove: .venv/.dev ## Kill the worker ten times during a backfill and compare the store with the mailbox
	$(BIN)/python scripts/prove_kills.py

prove-crash: .venv/.dev ## Kill the worker at each durable step of a life and compare the ends (EVERY=1)
	$(BIN)/python scripts/prove_crash.py --every $(EVERY)

prove-processes: .venv/.dev ## Kill workers, web and PostgreSQL at random for ten minutes and count (MINUTES=10)
	$(BIN)/python scripts/prove_processes.py --minutes $(MINUTES)

prove-simulation: .venv/.dev ## Whole days on virtual time, many seeds (SEEDS=20 DAYS=3; SEED=17 for one)
	$(BIN)/python -m tests.simulation --days $(DAYS) $(if $(filter command environment,$(origin SEED)),--seed $(SEED),--seeds $(SEEDS))

prove-large: .venv/.dev ## Pull 200,000 messages of a mailbox of a million and watch the worker's memory (MESSAGES=n PULL=n)
	$(BIN)/python scripts/prove_large.py $(if $(filter command environment,$(origin MESSAGES)),--messages $(MESSAGES)) --pull $(PULL)

prove-arrival: .venv/.dev ## Measure in a real Chromium how soon mail is on the screen
	@scripts/test_tools.sh
	$(BIN)/python scripts/prove_arrival.py

prove-rules: .venv/.dev ## Play more histories of everything that may happen (RULES=40 SEED=1)
	RULES=$(RULES) SEED=$(SEED) $(BIN)/python -m pytest tests/statemachine tests/rules

prove-mutants: .venv/.dev ## Plant bugs one by one and see that the tests catch each of them
	$(BIN)/python scripts/prove_mutants.py

bench: .venv/.dev ## Measure backfill and store side by side with peers
	$(BIN)/python -m bench.run

check: lint types imports sizes migrations docs ## Everything that is checked without running the product

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.dev
	$(CHECKING) $(BIN)/mypy

imports: .venv/.dev
	$(BIN)/lint-imports --no-cache

sizes: .venv/.dev
	$(BIN)/python scripts/file_sizes.py

migrations: .venv/.dev
	$(CHECKING) $(BIN)/python -W "ignore:Got an error checking" -m django makemigrations --check --dry-run \
		--settings workestra.project.settings

docs: .venv/.dev
	$(BIN)/python scripts/settings_page.py --check

format: .venv/.dev ## Put the code into the house's form, and write the pages that are made from code
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	$(BIN)/python scripts/settings_page.py

lock: .venv/.dev ## Resolve requirements/*.in into pinned files with hashes
	$(LOCK) --output-file requirements/build.txt requirements/build.in
	$(LOCK) --output-file requirements/base.txt requirements/base.in
	$(LOCK) --output-file requirements/dev.txt requirements/dev.in

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Workestra needs Python 3.11 or later; none was found."; exit 1; }
	@"$(PYTHON)" -m venv .venv || { echo "On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

.venv/.base: requirements/base.txt requirements/build.txt pyproject.toml | .venv/bin/python
	@echo "Installing packages into .venv (once; a minute or two) ..."
	@$(PIP) install --require-hashes -r requirements/build.txt -r requirements/base.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev: requirements/dev.txt .venv/.base
	@echo "Installing packages for tests and checks into .venv (once) ..."
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@
