# trueup: `make demo` and `make test` are all that a fresh machine needs (Python 3.11 and make).
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin

# What `make check` runs: the rooms whose tests read and decide.
DESK := tests/house tests/storage tests/feedback tests/monitoring tests/reports

# Bytecode is wanted: without it every import takes three times as long.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup typing lint check test test-full demo bench-promotion bench-detection bench-peers-env trainer-env browser lock clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

setup: .venv/made  ## the environment in .venv, with the command at .venv/bin/trueup

.venv/made: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

# The rooms under the name that they are installed by, for type checkers: these look for trueup/storage, not storage.
typing:
	@mkdir -p .typing/trueup
	@ln -sfn ../training/serving .typing/trueup_model
	@for room in storage feedback monitoring training reports flows; do ln -sfn ../../$$room .typing/trueup/$$room; done
	@for file in trueup/*.py trueup/py.typed; do ln -sfn ../../$$file .typing/trueup/; done

lint: setup typing  ## linter and type checker
	$(BIN)/ruff check .
	$(BIN)/mypy

# Types are checked beside the tests: by themselves they take half of the minute.
check: setup typing  ## linter, types, and the tests that need neither server nor training, under a minute once mypy has its cache
	$(BIN)/ruff check .
	$(BIN)/mypy & types=$$!; \
	$(BIN)/pytest -q -n 2 --dist loadfile -m 'not slow and not server and not long' $(DESK); tests=$$?; \
	wait $$types && exit $$tests

# Three workers on two cores: some tests wait for servers.
test: lint  ## linter, type checker and the test suite
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

# Half an hour for each test: a property with all its examples on PostgreSQL takes minutes beside other work.
test-full: lint trainer-env  ## the same with the slow tests and with all examples of hypothesis
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder -m '' --hypothesis-profile full --timeout 1800

trainer-env: .venv-trainer/made  ## another environment with another scikit-learn, in .venv-trainer, for the slow tests

# Made apart from the tests, which may not leave this machine.
.venv-trainer/made: tests/training/other-constraints.txt
	$(PYTHON) -m venv .venv-trainer
	.venv-trainer/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	@touch $@

demo: setup  ## the whole loop on a made stream, narrated
	$(BIN)/trueup demo

bench-promotion: setup  ## what promotions are worth, written to docs/promotion.md: hours
	$(BIN)/python -m benchmarks.promotion --write docs/promotion.md

bench-detection: setup bench-peers-env  ## how well breaks are seen, beside peers, written to docs/detection.md: hours
	$(BIN)/python -m benchmarks.detection --write docs/detection.md

bench-peers-env: .venv-peers/made  ## the peers of the detection benchmark, in .venv-peers

# The list is whole but for NVIDIA's library, half a gigabyte that no CPU needs, so pip must not complete it.
.venv-peers/made: benchmarks/detection/peers-constraints.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	@touch $@

browser: setup  ## what `python -m benchmarks.browser.drive` needs: Chromium, Playwright, axe-core
	command -v chromium >/dev/null || apt-get install --yes --quiet chromium
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[browser]'
	npm install --prefix benchmarks/browser --no-package-lock --silent

lock: setup  ## writes constraints.txt from the environment as it stands
	$(BIN)/python -m pip freeze --exclude-editable | grep -v ' @ ' > constraints.txt

clean:  ## removes the environment and the caches
	rm -rf .venv .venv-peers .venv-trainer .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
