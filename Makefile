# Two commands are the set-up: make run, make test. Each makes .venv by itself when it is missing.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
CORES ?= all
ARGS ?=

.PHONY: run test test-slurm test-package docs lint format report sheets bench lock clean

run: $(VENV)/.installed ## simulate, serve, ask, judge, report
	@$(BIN)/python -m rehearsal.config.overlay_files $(ARGS)
	$(BIN)/snakemake --cores $(CORES) $(ARGS)

test: $(VENV)/.installed-dev ## every test; those that want bcftools skip without it
	$(BIN)/pytest -n 2 -m "not slurm and not package" $(ARGS)

test-slurm: $(VENV)/.installed-dev ## the default run on a one-node Slurm, after make run; wants root, slurm-wlm, munge
	$(BIN)/pytest -m slurm tests/system/test_slurm.py

test-package: $(VENV)/.installed-dev ## build a wheel, install it elsewhere, make data with it, drive a second WES; needs a package index
	$(BIN)/pytest -m package tests/package tests/system/test_wes_engines.py

docs: $(VENV)/.installed-dev ## the documentation site, in site/; any dead link or page outside the navigation is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow docs/examples
	$(BIN)/snakemake --lint
	$(BIN)/codespell
	$(BIN)/mypy
	! $(BIN)/radon cc --min C --show-complexity --exclude '*_kernel*.py' rehearsal scripts workflow | grep .

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix --exit-zero . # long lines may remain: the next command wraps them
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow docs/examples

bench: $(VENV)/.installed ## the full bench over the run that is there, what jobs asked for, hostile callers
	$(BIN)/snakemake --cores $(CORES) --configfile config/scale/bench.yaml $(ARGS) --forcerun $(MEASUREMENTS) -- all
	$(BIN)/python benchmarks/resources.py --configfile config/scale/bench.yaml
	$(BIN)/python benchmarks/fuzz.py && $(BIN)/python benchmarks/soak.py

report: $(VENV)/.installed ## Snakemake's own report of the last run; ARGS as of the run, and where to write it
	$(BIN)/snakemake --report results/report/snakemake.html $(ARGS)

MEASUREMENTS := measure_distance measure_capital_latency inject_faults measure_load measure_growth compare_collection_policies

lock: $(VENV)/.installed-dev ## compile the pinned requirements from pyproject.toml and requirements-dev.in
	$(BIN)/pip install --quiet pip-tools
	$(BIN)/pip-compile $(LOCK_OPTIONS) --all-extras --all-build-deps --output-file=requirements.txt pyproject.toml
	sed -i -e '/^rehearsal @/d' -e '/^# /d' requirements.txt # our own extras, which pip-compile takes for a package
	$(BIN)/pip-compile $(LOCK_OPTIONS) --output-file=requirements-dev.txt requirements-dev.in
	sed -i '/^--/,/^$$/d' requirements.txt requirements-dev.txt # addresses of registries, and the blank line after them

LOCK_OPTIONS := --quiet --generate-hashes --strip-extras --allow-unsafe --no-header --no-annotate

sheets: ## print the sheets of a finished run as PDF, one file a country, through Chromium; COUNTRY=BE prints one
	for sheet in $(RESULTS)/report/sheets/$(COUNTRY).html; do \
	  test -f "$$sheet" || { echo "$$sheet: expected the sheet of a finished run, found none" >&2; exit 1; }; \
	  $(CHROMIUM) --no-pdf-header-footer --print-to-pdf="$${sheet%.html}.pdf" "file://$$(realpath "$$sheet")" || exit 1; \
	done

RESULTS := results
COUNTRY := *
# Chromium runs as root only without its sandbox, for example in a container
CHROMIUM := chromium --headless --disable-gpu $(if $(filter 0,$(shell id -u)),--no-sandbox)

clean: ## remove what a run made (not the environment)
	rm -rf results logs .snakemake

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/pip install --quiet --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.txt
	touch $@
