# make app: set up on first use, then open the app.  make test: set up, then run the tests.
# A second make with nothing changed installs nothing.

PYTHON ?= python3
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed

.PHONY: app test check bench gallery screenshots clean

app: $(READY)
	$(BIN)/the-experiment ui --port $(PORT)

test: $(READY)
	$(BIN)/pytest

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

bench: $(READY)
	$(BIN)/python -m tests.benchmarks.exactness
	$(BIN)/python -m tests.benchmarks.training
	$(BIN)/python -m tests.benchmarks.latency
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

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis dist build
