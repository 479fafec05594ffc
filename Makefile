# Everything that a developer does here. Needs Python 3.11 to 3.13, no matter which other tools there are; uv is used
# where it is installed, because it is faster. All paths are relative: the folder's own path may contain spaces.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run test check lock vendor clean

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete

# Further arguments for pytest: make test ARGS="-k tickets"
ARGS ?=

# Exit code 0 in an interpreter that fits. Version managers install names for interpreters that then fail to start, and
# some systems ship Python without what a virtual environment needs: so each one is asked to do it.
FITS := import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
FITS_ALONE := import ensurepip; $(FITS)

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## Create .venv with the locked dependencies and this package in it

$(STAMP): requirements-dev.lock requirements.lock pyproject.toml
	@set -e; \
	if command -v uv >/dev/null 2>&1; then \
		with=uv probe="$(FITS)" cache=$$(uv cache dir); \
		{ mkdir -p "$$cache" && [ -w "$$cache" ]; } 2>/dev/null || export UV_NO_CACHE=1; \
	else \
		with=pip probe="$(FITS_ALONE)"; \
	fi; \
	if ! $(BIN)/python -c "$$probe" >/dev/null 2>&1; then \
		for python in "$(PYTHON)" python3.11 python3.12 python3.13 python3 none; do \
			[ -n "$$python" ] || continue; \
			if "$$python" -c "$$probe" >/dev/null 2>&1; then break; fi; \
		done; \
		if [ "$$python" = none ]; then \
			echo "No Python 3.11, 3.12 or 3.13 with venv and ensurepip was found. Install one (Debian, Ubuntu:" >&2; \
			echo "apt-get install python3 python3-venv) or name one: make setup PYTHON=/path/to/python3.12" >&2; \
			exit 1; \
		fi; \
		echo "Creating $(VENV) with $$python"; \
		if [ $$with = uv ]; then uv venv --quiet --clear --python "$$python" $(VENV); \
		else "$$python" -m venv --clear $(VENV); fi; \
	fi; \
	echo "Installing the locked dependencies with $$with"; \
	if [ $$with = uv ]; then \
		uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock; \
		uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .; \
		uv pip check --quiet --python $(BIN)/python; \
	else \
		$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null; \
		export PIP_DISABLE_PIP_VERSION_CHECK=1; \
		$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock; \
		$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .; \
		$(BIN)/python -m pip check; \
	fi
	@touch $@

run: setup ## Serve the platform with demo data on http://127.0.0.1:8000 (database in ./data)
	@AMAREVENTS_COOKIE_SECURE="$${AMAREVENTS_COOKIE_SECURE:-false}" $(BIN)/amarevents serve --demo

test: setup ## Run all tests on SQLite, then on PostgreSQL and Redis, and report the coverage of both
	@$(BIN)/python -m coverage erase
	@failed=0; \
	for backend in sqlite postgres; do \
		echo "== $$backend"; \
		$(BIN)/python -m coverage run -m pytest --backend=$$backend $(ARGS) || failed=1; \
	done; \
	$(BIN)/python -m coverage combine --quiet && $(BIN)/python -m coverage report || failed=1; \
	exit $$failed

check: setup ## Check style, types and the direction of imports
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports

lock: ## Resolve the dependencies of pyproject.toml anew into the lock files (needs uv)
	@command -v uv >/dev/null 2>&1 || { echo "make lock needs uv: https://docs.astral.sh/uv/" >&2; exit 1; }
	uv pip compile pyproject.toml --group dev $(LOCK_OPTIONS) --output-file requirements-dev.lock
	uv pip compile pyproject.toml --constraints requirements-dev.lock $(LOCK_OPTIONS) --output-file requirements.lock

# For every platform and version, with the hashes of every file, and without the address of any registry.
LOCK_OPTIONS := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

vendor: setup ## Fetch the pages' libraries as recorded, or one anew: make vendor PACKAGE=graphiql VERSION=3.8.3 (needs npm)
	@command -v npm >/dev/null 2>&1 || { echo "make vendor needs npm: https://docs.npmjs.com/" >&2; exit 1; }
	$(BIN)/python -m tools.vendor $(PACKAGE) $(VERSION)

clean: ## Remove .venv and everything that tools have left behind; ./data stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage .coverage.* htmlcov dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
