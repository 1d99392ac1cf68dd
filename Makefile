# make run    serves the page on http://127.0.0.1:7860, or on PORT=…
# make test   checks format, lint and types, and runs the tests
# make slow   runs the tests that train real networks
# make cluster  installs Ray, and runs the tests of runs on a cluster; takes minutes
# make format formats all files
# make reliability  tries what visitors, disks and crashes can do, and writes docs/reliability.md; takes minutes
# make soak   measures viewers, sessions and memory under load, and writes docs/reliability.md; takes minutes
# make reference  writes docs/reference.md, docs/fidelity.md, docs/run.html and the constants of the scripts from the code
# make rooms  writes the list and the pictures of the rooms into CONTRIBUTING.md
# make wheel  writes the package into dist/
# make picture  makes the image of the README from the shipped recording
# make bench  measures the speed on this machine; takes minutes
#
# Each creates .venv if needed, and installs again only after the requirements have changed.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test tests checks slow cluster wheel format reliability soak reference rooms picture bench clean

python := .venv/bin/python
pip := $(python) -m pip --disable-pip-version-check install --quiet
candidates := python3 python3.14 python3.13 python3.12 python3.11 python
oldest_node := 18
suitable := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))

help:
	@sed -n 's/^# \{0,1\}//p' Makefile | head -n 13

run: .venv/installed
	@exec $(python) app.py

# The checks share the two cores with the tests: many tests wait for a browser or a deadline.
test: .venv/installed-tools chromium node_modules/installed
	@$(MAKE) --no-print-directory --jobs 2 tests checks

checks:
	$(python) -m ruff format --check
	$(python) -m ruff check
	$(python) -m mypy --strict nayer app tests/reliability
	@# Apart, for beside the package app a file app.py is a second module of that name to mypy.
	$(python) -m mypy --strict -c "$$(cat app.py)"
	npx biome ci --error-on-warnings
	npx tsc
	node --test tests/js/*.test.js

# A thread each: threads that wait for each other cost more than they bring.
tests:
	OMP_NUM_THREADS=1 $(python) -m pytest -n 3 --dist loadfile --no-loadscope-reorder

slow: .venv/installed-extras chromium
	$(python) -m pytest -m slow

# Each test has its own limits of time; these are for what no test foresees. The test of a judge takes its files away
# from the page's process, and on a cluster the run is in another one.
cluster: .venv/installed-cluster chromium
	OMP_NUM_THREADS=1 timeout --kill-after=30 1500 $(python) -m pytest -m cluster tests/nayer/cluster
	NAYER_TEST_RUNS_ON=ray NAYER_CAPACITY=8 OMP_NUM_THREADS=1 timeout --kill-after=30 1500 $(python) -m pytest -m "not cluster" -k "not judge" tests/browser/test_live.py tests/browser/test_sharing.py

format: .venv/installed-tools node_modules/installed
	$(python) -m ruff format
	$(python) -m ruff check --fix
	npx biome check --write

reliability: .venv/installed-tools
	OMP_NUM_THREADS=1 $(python) -m tests.reliability

reference: .venv/installed
	$(python) -m app.generated.reference
	$(python) -m app.generated.fidelity
	$(python) -m app.generated.page_constants
	$(python) app.py --web-page docs/run.html

rooms: .venv/installed-tools
	$(python) -m tests.support.rooms

soak: .venv/installed-tools
	OMP_NUM_THREADS=1 $(python) -m tests.reliability --soak

picture: .venv/installed-tools chromium
	$(python) -m tests.browser.front_picture

wheel: .venv/installed-tools
	$(python) -m build --no-isolation

bench: .venv/installed
	$(python) -m app.benchmark --teacher digits
	$(python) -m nayer bench --teacher digits --seeds 0 --seconds 20
	$(python) -m nayer bench --teacher fashion --seeds 0,1,2 --seconds 60

clean:
	rm -rf .venv node_modules .mypy_cache .pytest_cache .ruff_cache

$(python):
	@for candidate in $(candidates); do \
	  if $$candidate -c '$(suitable)' >/dev/null 2>&1; then \
	    echo "Creating .venv with $$($$candidate --version)."; \
	    exec $$candidate -m venv .venv; \
	  fi; \
	done; \
	echo "No Python 3.11, 3.12, 3.13 or 3.14 with its venv module is on the PATH; install one (on Debian: python3 and python3-venv)." >&2; \
	exit 1

.venv/installed: requirements.txt | $(python)
	@echo "Installing requirements.txt. The first time takes some minutes."
	@$(pip) -r requirements.txt
	@touch $@

.venv/installed-tools: requirements-dev.txt .venv/installed
	@echo "Installing requirements-dev.txt."
	@$(pip) -r requirements.txt -r requirements-dev.txt
	@touch $@

.venv/installed-cluster: requirements-cluster.txt .venv/installed-tools
	@echo "Installing requirements-cluster.txt."
	@$(pip) -r requirements.txt -r requirements-dev.txt -r requirements-cluster.txt
	@touch $@

.venv/installed-extras: requirements-extras.txt .venv/installed-tools
	@echo "Installing requirements-extras.txt."
	@$(pip) -r requirements.txt -r requirements-dev.txt -r requirements-extras.txt
	@touch $@

# $(call debian,PACKAGES,PURPOSE) installs packages of Debian.
debian = { \
  sudo=; [ "$$(id -u)" = 0 ] || sudo="sudo -n"; \
  command -v apt-get >/dev/null && echo "Installing $(1) for $(2)." \
    && $$sudo apt-get -qq update && $$sudo apt-get -qq install --yes --no-install-recommends $(1) >/dev/null; \
}

# The browser tests drive Debian's chromium; without it they fail and say so.
.PHONY: chromium
chromium:
	@command -v chromium >/dev/null || $(call debian,chromium,the browser tests) \
	  || echo "chromium could not be installed with apt-get: install it by hand, or the browser tests fail." >&2

# Node checks the page's scripts; nothing of it is served.
.PHONY: node
node:
	@{ command -v node && command -v npm; } >/dev/null || $(call debian,nodejs npm,the checks of the page's scripts) \
	  || { echo "node could not be installed with apt-get: install Node.js $(oldest_node) or newer by hand." >&2; exit 1; }
	@node -e 'process.exit(parseInt(process.versions.node) < $(oldest_node) ? 1 : 0)' \
	  || { echo "node is $$(node --version); the checks of the page's scripts need $(oldest_node) or newer." >&2; exit 1; }

node_modules/installed: package.json package-lock.json .npmrc | node
	@echo "Installing package-lock.json."
	@npm ci --silent --no-audit --no-fund
	@touch $@
