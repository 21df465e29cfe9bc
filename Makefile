# SPDX-FileCopyrightText: 2026 kport contributors
# SPDX-License-Identifier: MIT
#
# `make run` and `make test` each set up .venv by themselves; nothing but Python 3.11, make and a
# package index is needed.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: run test test-long test-ft lint cdiff bench clean

run: $(STAMP)
	@if [ -t 0 ] && [ -t 1 ] && [ "$$TERM" != dumb ]; then $(BIN)/kport monitor; \
	else $(BIN)/kport run; fi

test: $(STAMP)
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

test-long: $(STAMP)
	$(BIN)/python -m pytest -q -m long
	failed=0; for sched in v7_2 v6_1 v3_2023; do \
		$(BIN)/kport stress --seconds 600 --sched $$sched --seed 1 --keep-going || failed=1; \
	done; exit $$failed

test-ft: $(STAMP)
	$(BIN)/python -m pytest -q -rs -m "long or not long" tests/test_free_threaded.py tests/test_shared_state.py

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/reuse lint -q

cdiff: $(STAMP)
	$(BIN)/python -m tools.cdiff check
	$(BIN)/python -m tools.cdiff summary

bench: $(STAMP)
	$(BIN)/python -m tools.bench null-jobs
	$(BIN)/python -m tools.bench overhead
	$(BIN)/python -m tools.bench points

clean:
	rm -rf .venv

$(STAMP): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,lint]'
	touch $@
