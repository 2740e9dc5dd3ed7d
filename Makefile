# The two commands: `make compare` and `make test`. Both make a virtual environment in .venv and
# install into it first; a later run finds it there, until pyproject.toml changes.
#
#   make compare          train on both engines, write reports/index.html
#   make compare FULL=1   the same with longer runs, and other systems that are installed
#   make test             the whole test suite; ARGS="-k softmax" is passed on to pytest
#   make lint             ruff and mypy
#   make clean            remove what the above made
#
# PYTHON=python3.12 names the Python to build on; JOBS=4 the test processes.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help compare test lint clean
.DELETE_ON_ERROR:

VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check --quiet
JOBS ?= 2
ARGS ?=

NEEDS := sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; $(NEEDS)' 2>/dev/null && echo "$$python" && break; done)

# Workers of a thread pool that wait by spinning take the cores from the other pool.
export OPENBLAS_THREAD_TIMEOUT := 10
export OMP_WAIT_POLICY := passive

help:
	@sed -n 's/^#   //p' Makefile

compare: $(VENV)/.compare
	@$(RUN) -m comparisons run $(if $(FULL),--full)

# One BLAS thread for each test process: the suite is many small products.
test: $(VENV)/.test
	@OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(RUN) -m pytest -q -n $(JOBS) $(ARGS)

lint: $(VENV)/.lint
	@$(RUN) -m ruff check .; ruff=$$?; $(RUN) -m mypy && exit $$ruff

clean:
	rm -rf $(VENV) reports build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find shared dynamic static comparisons tests -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the environment ---

# An environment holds the path that it was made for: one whose checkout has moved, or whose
# Python is gone, is made anew.
PLACE := $(shell $(RUN) -c '' 2>/dev/null && cat $(VENV)/.place 2>/dev/null)
ifneq "$(PLACE)" "$(CURDIR)"
.PHONY: $(VENV)/.place
endif

$(VENV)/.place:
	@'$(PYTHON)' -c 'import sys; $(NEEDS)' 2>/dev/null || { \
		echo "Diptych needs Python 3.11 or newer; there is $(if $(PYTHON),only $$('$(PYTHON)' --version \
			2>&1) behind '$(PYTHON)',none on the PATH)." >&2; \
		echo "Install one, or name one: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; \
		exit 1; }
	@echo "Making a virtual environment in $(VENV), with $$('$(PYTHON)' --version)"
	@'$(PYTHON)' -m venv --clear $(VENV)
	@printf '%s\n' "$(CURDIR)" > $@

$(VENV)/.compare $(VENV)/.test $(VENV)/.lint: $(VENV)/.%: $(VENV)/.place pyproject.toml
	@echo "Installing Diptych and what \`make $*\` needs; the first time this takes a minute or more"
	@$(PIP) install --editable '.[$*]'
	@touch $@ $(if $(filter test,$*),$(VENV)/.compare)  # the extra `test` includes `compare`
