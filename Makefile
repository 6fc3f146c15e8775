# make run    serve on 127.0.0.1:8888 (make run ARGS="--port 9999")
# make test   run the tests (make test TESTS=tests.test_registry, JOBS=1)
# make bench  measure gows and its peers (make bench ONLY=fanout PEERS=gorilla, QUICK=1)
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
TESTS ?= tests
CASES ?=
JOBS ?= 2
ONLY ?=
PEERS ?=
ROUNDS ?= 5
QUICK ?=

.PHONY: run test lint coverage sample conformance bench clean

run: $(VENV)/.runs
	$(BIN)/twistd -n --pidfile= gows --admin tcp:8889:interface=127.0.0.1 $(ARGS)

test: $(VENV)/.tests
	$(BIN)/python -m twisted.trial -j$(JOBS) $(TESTS)

lint: $(VENV)/.lints
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

coverage: $(VENV)/.tests
	$(BIN)/coverage run -m twisted.trial $(TESTS)
	$(BIN)/coverage report

sample: $(VENV)/.runs
	$(BIN)/python -m gows.sample > etc/gows.toml

conformance: $(VENV)/.runs
	conformance/setup.sh .conformance
	set -f; $(BIN)/python conformance/run.py $(CASES)

bench: $(VENV)/.runs
	$(BIN)/python -m benchmarks --only '$(ONLY)' --peers '$(PEERS)' --rounds '$(ROUNDS)' \
		$(if $(QUICK),--quick)

clean:
	rm -rf $(VENV) .conformance .bench build dist *.egg-info _trial_temp*

# Each stamp says that the venv holds what its target needs.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "gows needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { echo "$(PYTHON) cannot make a venv: on Debian, apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/pip install -q --upgrade 'pip>=25'
	touch $@

$(VENV)/.runs: $(VENV)/.made setup.cfg pyproject.toml
	$(BIN)/pip install -q -e '.[cli]'
	touch $@

$(VENV)/.tests: $(VENV)/.runs
	$(BIN)/pip install -q -e '.[test]'
	touch $@

$(VENV)/.lints: $(VENV)/.tests
	$(BIN)/pip install -q -e '.[test,lint]'
	touch $@
