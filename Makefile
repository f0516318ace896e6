# make app: set up on first use, then open the app.  make test: set up, then run the quick tests.
# make test-all: every test, those of the library's quick ones with types and shapes checked at every call.
# A second make with nothing changed installs nothing.

PYTHON ?= python3
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
TYPES := node_modules/.installed
CHECK_TYPES := --jaxtyping-packages="playground,beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"

.PHONY: app test test-all check bench gallery screenshots clean

app: $(READY)
	$(BIN)/the-experiment ui --port $(PORT)

test: $(READY)
	$(BIN)/pytest -m "not slow"

test-all: $(READY)
	$(BIN)/pytest -m "not slow and not journey" $(CHECK_TYPES)
	$(BIN)/pytest -m "slow or journey"

check: $(READY) $(TYPES)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/node node_modules/typescript/bin/tsc --project tsconfig.json

bench: $(READY)
	$(BIN)/python -m tests.benchmarks.exactness
	$(BIN)/python -m tests.benchmarks.training
	$(BIN)/python -m tests.benchmarks.latency
	$(BIN)/python -m tests.benchmarks.floor
	$(BIN)/python -m tests.benchmarks.large
	$(BIN)/python -m tests.benchmarks.watching
	$(BIN)/python -m tests.benchmarks.atlas
	$(BIN)/python -m tests.benchmarks.mechanism
	$(BIN)/python -m tests.benchmarks.edits

gallery: $(READY)
	$(BIN)/python -m tests.benchmarks.gallery

screenshots: $(READY)
	$(BIN)/python -m tests.app.screenshots

# Exact versions: an open range would fetch several GB of CUDA packages with torch.
$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $(READY)

# What the check of the browser's scripts needs; the app and its tests need none of it.
$(TYPES): package.json package-lock.json | $(READY)
	$(BIN)/npm ci --silent --ignore-scripts --no-audit --no-fund
	touch $(TYPES)

clean:
	rm -rf $(VENV) node_modules .pytest_cache .ruff_cache .hypothesis dist build
