# The commands of a developer. They need Python 3.11 to 3.14 and nothing else, and use uv if it is installed, because it
# is faster. All paths are relative, so the path of the folder may contain spaces.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test test-deep coverage bench check lock vendor clean force

# The environment, and the interpreter that creates it. To use another version next to the first one:
# make test PYTHON=python3.13 VENV=.venv-3.13
VENV := .venv
PYTHON :=
BIN := $(VENV)/bin

# Records of what is installed. make run needs the platform alone; the other targets need the development tools as well.
PLATFORM := $(VENV)/.platform
TOOLS := $(VENV)/.tools

# Arguments for the tests: make test ARGS="tests/rest/tickets/test_tickets.py -k filter"
ARGS ?=

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(TOOLS) ## Install the platform and the development tools into .venv

# With PYTHON, always check that the environment is of its version.
$(PLATFORM): requirements.lock tools/environment.sh $(if $(PYTHON),force)
	@tools/environment.sh "$(VENV)" requirements.lock "$(PYTHON)"
	@touch $@

$(TOOLS): requirements-dev.lock requirements.lock tools/environment.sh $(if $(PYTHON),force)
	@tools/environment.sh "$(VENV)" requirements-dev.lock "$(PYTHON)"
	@touch $(PLATFORM) $@

run: $(PLATFORM) ## Serve the platform with demo data on http://127.0.0.1:8000 (database in ./data)
	@AMAREVENTS_COOKIE_SECURE="$${AMAREVENTS_COOKIE_SECURE:-false}" exec $(BIN)/amarevents serve --demo

# COVERAGE=1 measures and reports the coverage, DEEP=1 selects what test-deep describes; both together are what CI runs.
COVERAGE :=
DEEP :=
test: setup ## Run the tests on both back ends, or on SQLite those named: make test ARGS=tests/rest/tickets
	@$(BIN)/python -m tests $(if $(COVERAGE),--coverage) $(if $(DEEP),--deep) $(ARGS)

test-deep: ## Run the tests with larger random documents, more fuzzing and the widest walks
	@$(MAKE) --no-print-directory test DEEP=1

coverage: ## Run the tests on both back ends and report the coverage of both together
	@$(MAKE) --no-print-directory test COVERAGE=1

# QUICK=1 uses a small database, REPORT=1 writes docs/performance.md; a few rows only: make bench ARGS="--only list,detail"
QUICK :=
REPORT :=
bench: setup ## Measure throughput and processor time next to hand-written handlers (needs wrk)
	@$(BIN)/python -m benchmarks $(if $(QUICK),--quick) $(if $(REPORT),--report) $(ARGS)

# Checks of this project's own are the programs tools/check_*.py.
check: setup ## Check style, types, the direction of imports, the wording and the sizes
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports
	@set -e; for check in $(wildcard tools/check_*.py); do echo "$(BIN)/python $$check"; $(BIN)/python $$check; done

# UPGRADE=1 raises all versions; otherwise those that fit pyproject.toml stay.
UPGRADE :=
lock: ## Resolve the dependencies of pyproject.toml into the lock files (needs uv)
	@command -v uv >/dev/null 2>&1 || { echo "make lock needs uv: https://docs.astral.sh/uv/" >&2; exit 1; }
	uv pip compile pyproject.toml --group dev $(LOCK_OPTIONS) --output-file requirements-dev.lock
	uv pip compile pyproject.toml --constraints requirements-dev.lock $(LOCK_OPTIONS) --output-file requirements.lock

# For every platform and version, with the hashes of every file, and without the address of any registry.
LOCK_OPTIONS := --quiet $(if $(UPGRADE),--upgrade) --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

vendor: setup ## Fetch the JavaScript of the pages (needs npm); another version: PACKAGE=graphiql VERSION=3.8.3
	@command -v npm >/dev/null 2>&1 || { echo "make vendor needs npm: https://docs.npmjs.com/" >&2; exit 1; }
	$(BIN)/python -m tools.vendor $(PACKAGE) $(VERSION)

clean: ## Remove the environment and everything that tools leave behind; ./data stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage .coverage.* htmlcov dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
