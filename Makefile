# Two commands do everything: `make run` and `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV   ?= .venv
DATA   ?= var/minzheng
PORT   ?= 8000
ARGS   ?=
BIN    := $(VENV)/bin
TESTS  ?= tests
BENCH  ?=

.PHONY: help run test soak check bench lock format contracts clean

help:
	@echo 'make run [PORT=8000] [DATA=var/minzheng] [ARGS=--kafka]   the whole suite with its demonstration district'
	@echo 'make test [TESTS=tests/...]                                every test'
	@echo 'make soak                                                  the attacks at full length'
	@echo 'make check                                                 lint, types, import rules, contracts, migrations'
	@echo 'make bench [BENCH="intake query"]                          measurements, each beside its peer (15 minutes)'
	@echo 'make format | contracts | lock | clean'

run: $(VENV)/.run
	@exec $(BIN)/minzheng run --demo --data $(DATA) --port $(PORT) $(ARGS)

test: $(VENV)/.test
	$(BIN)/pytest -n 2 --dist loadgroup $(TESTS)

soak: $(VENV)/.test
	$(BIN)/pytest -m soak tests

check: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/minzheng contracts --check
	$(BIN)/pytest -q tests/suite/test_migrations.py

bench: $(VENV)/.run build/bench-peers
	$(BIN)/python -m bench $(BENCH)

format: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

contracts: $(VENV)/.test
	$(BIN)/minzheng contracts

# The lock names no address of a registry: it holds on every mirror.
lock: $(VENV)/.test
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile -q --no-header --universal --generate-hashes --python-version 3.11 --extra build pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile -q --no-header --universal --generate-hashes --python-version 3.11 --extra build --extra dev -c requirements.txt pyproject.toml -o requirements-dev.txt

clean:
	rm -rf $(VENV) build *.egg-info

$(VENV)/.run: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.test: $(VENV)/.run requirements-dev.txt deploy/setup-browser
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	deploy/setup-browser
	@touch $@

# Peers of the benches stand beside the environment, of which they are no part.
build/bench-peers: bench/requirements.txt $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check --upgrade --no-deps --require-hashes --target $@ -r bench/requirements.txt
	@touch $@
