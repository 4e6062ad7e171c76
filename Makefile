# Gridferry. `make` lists what there is; everything installs what it needs.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?=
TESTS ?=
BENCH ?=
WORKERS ?= 3
FACTOR ?= 30
SUITE ?= bookworm
NODES ?= 4
NAME ?= gridferry
SEED ?= $(shell date +%s)
JOBS ?= 200

.PHONY: help demo test test-docker test-containers test-docker-all faults fuzz chaos cluster-up cluster-down check docs format bench \
	system system-test system-docker venv clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: system venv ## the whole way once, on a real Slurm (KEEP=1 leaves it running)
	@$(BIN)/python -m demo

test: system-test venv ## all tests, against the real things (TESTS="-k name" for some)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(TESTS)

test-docker: system-docker venv ## the e2e tests on Slurm clusters in containers (SUITE=bullseye|bookworm|trixie|forky)
	@$(BIN)/python -m demo.docker check
	GRIDFERRY_TEST_GRID=$(SUITE) $(BIN)/python -m pytest tests/e2e $(TESTS)

test-containers: venv ## a selection of them on the oldest Slurm and a newer one, both at once
	tools/test-containers.sh $(TESTS)

test-docker-all: ## the same on all four generations of Slurm, oldest first
	for suite in bullseye bookworm trixie forky; do $(MAKE) test-docker SUITE=$$suite || exit 1; done

cluster-up: system-docker venv ## two Slurm clusters in containers, registered (SUITE=bookworm NODES=4)
	@$(BIN)/python -m demo.docker up $(SUITE) $(NODES) $(NAME)

cluster-down: venv ## remove them
	@$(BIN)/python -m demo.docker down $(SUITE) $(NODES) $(NAME)

fuzz: system-test venv ## very many odd inputs for every parser and the REST API (FACTOR=30, TESTS="-k name")
	FUZZ_FACTOR=$(FACTOR) $(BIN)/python -m pytest -n $(WORKERS) tests/unit tests/contract/test_registry_api.py \
		-m "hypothesis or fuzz" --hypothesis-show-statistics $(TESTS)

chaos: system-test venv ## jobs and faults by chance, then everything is checked (SEED=n JOBS=200)
	$(BIN)/python -m tests.chaos --seed $(SEED) --jobs $(JOBS)

faults: system-test venv ## the long half of the fault suite (docs/reliability.md)
	$(BIN)/python -m pytest tests/faults $(TESTS)

check: venv ## lint, types, import directions, the wrapper's Python floor
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vermin --no-tips -t=3.6- --violations project/core project/wrapper project/toolbox
	$(BIN)/python -m tools.reference --check

docs: venv ## write the reference pages from the tables in the code
	$(BIN)/python -m tools.reference

format: venv ## format the code and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: system venv ## how fast it is, beside what you would type instead (BENCH="--latency-ms 50" for a cluster far away)
	$(BIN)/python -m bench $(BENCH)

venv: $(VENV)/.installed ## the Python packages, in .venv

$(VENV)/.installed: pyproject.toml constraints.txt
	@PYTHON=$(PYTHON) tools/make-venv.sh $(VENV)
	@touch $@

system:
	@tools/install-system.sh sandbox

system-test:
	@tools/install-system.sh sandbox test

system-docker:
	@tools/install-system.sh docker

clean: ## remove what these targets made here
	rm -rf $(VENV) .demo build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
