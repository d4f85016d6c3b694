# Everything a fresh Debian machine with Python 3.11 needs. `make test` and `make demo` set it up first; a second
# set-up takes no time. `make setup PYTHON=/path/to/python` chooses the interpreter (3.11 or newer).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := test

export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin
PYTHON ?= $(shell python3.11 -c '' 2>/dev/null && echo python3.11 || echo python3)
WORKERS ?= 2
BIN := .venv/bin
READY := .venv/.standfast-ready

.PHONY: demo incident test lint unit bench mutants deb documents picture clean setup system pytest

demo: SYSTEM_FOR := demo
demo: setup  ## the main job in a live view; ARGS="--seconds 60 --json" runs it unattended
	@$(BIN)/standfast demo $(ARGS)

incident: SYSTEM_FOR := demo
incident: setup  ## October 2025 with real processes at a stand-in for Route 53: as built, and with Standfast
	@PYTHONPATH=tests:. $(BIN)/python -m e2e.incident $(ARGS)

test: lint  ## lint, strict types and every test
	@$(MAKE) --no-print-directory pytest

lint: setup
	@$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict src tests bench tools

unit: setup  ## the quick loop: without the tests marked slow
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal -m "not slow" $(ARGS)

pytest: setup
	@$(BIN)/pytest -n $(WORKERS) --dist worksteal $(ARGS)

bench: setup  ## our times beside those of the C clients
	@$(BIN)/python -m bench $(ARGS)

mutants: setup  ## every named edit of the catalogue, and which property notices it
	@$(BIN)/python -m standfast.sim.mutants --jobs $(WORKERS) $(ARGS)

deb: setup  ## dist/standfast_VERSION_ARCH.deb
	@$(BIN)/python -m tools.deb

picture: setup  ## docs/img: the page, as Chromium shows a staged incident; October 2025, as the region's model has it
	@PYTHONPATH=tests:. $(BIN)/python tests/web/picture.py docs/img/page.png
	$(BIN)/standfast replay october-2025 --with recovery --svg build/october
	cp build/october/day.svg docs/img/october-2025.svg
	for name in ec2 network-manager errors; do cp build/october/$$name.svg docs/img/october-2025-$$name.svg; done

documents: setup  ## what is generated from the code: docs/configuration.md, capabilities, alert rules, board, journal
	@$(BIN)/python -m tools.configuration
	$(BIN)/python -m tools.capabilities
	$(BIN)/python -m tools.signals
	$(BIN)/python -m standfast.runtime.events

clean:  ## what tests and tools left behind; the virtual environment stays (rm -rf .venv)
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .make build dist
	find src tests bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

setup: system $(READY)

# The hashes of requirements.lock cover what runs; requirements-build.lock pins the build backend of the project
# itself, which a fresh virtual environment has too old (no bdist_wheel) or, from Python 3.12 on, not at all.
$(READY): requirements.lock requirements-build.lock pyproject.toml
	@echo "setup: Python packages into .venv"
	$(PYTHON) -m venv .venv
	export PIP_DISABLE_PIP_VERSION_CHECK=1
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-build.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

# Looked at every time: a few path look-ups. The demo needs dig; name servers, Spin and Chromium are for the tests.
# Debian starts a daemon as soon as its package is installed, and enables it at boot; the tests run their own, so a
# policy forbids the start and what was enabled here is disabled again.
system:
	@want=()
	units=()
	if ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
		echo "setup: $(PYTHON) is not Python 3.11 or newer. Install it (Debian 12: apt install python3" >&2
		echo "       python3-venv) or name one: make setup PYTHON=/path/to/python3.11" >&2
		exit 1
	fi
	[[ -e $(BIN)/python ]] || $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || want+=(python3-venv)
	command -v nsupdate >/dev/null && command -v dig >/dev/null || want+=(bind9-dnsutils)
	if [[ "$(SYSTEM_FOR)" != demo ]]; then
		command -v named >/dev/null || { want+=(bind9); units+=(named); }
		command -v knotd >/dev/null || { want+=(knot); units+=(knot); }
		command -v knsupdate >/dev/null || want+=(knot-dnsutils)
		command -v pdns_server >/dev/null || { want+=(pdns-server); units+=(pdns); }
		compgen -G '/usr/lib/*/pdns/liblmdbbackend.so' >/dev/null || want+=(pdns-backend-lmdb)
		command -v spin >/dev/null || want+=(spin)
		command -v gcc >/dev/null && [[ -e /usr/include/stdio.h ]] || want+=(gcc libc6-dev)
		compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || want+=(libfaketime)
		command -v systemd-analyze >/dev/null || want+=(systemd)
		command -v promtool >/dev/null || { want+=(prometheus); units+=(prometheus); }
		compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || { want+=(postgresql); units+=(postgresql); }
		command -v chromium >/dev/null && command -v chromedriver >/dev/null || want+=(chromium chromium-driver)
	fi
	(( $${#want[@]} )) || exit 0
	if [[ $$(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
		echo "setup: these Debian packages are missing: $${want[*]}" >&2
		echo "       As root: apt-get install --no-install-recommends $${want[*]}   (elsewhere: BIND 9.18 or" >&2
		echo "       newer and Knot DNS 3.2 or newer with their client tools, and Python's venv). Then again." >&2
		exit 1
	fi
	echo "setup: Debian packages $${want[*]}"
	policy=/usr/sbin/policy-rc.d
	if [[ ! -e $$policy ]]; then
		trap 'rm -f /usr/sbin/policy-rc.d' EXIT
		printf '#!/bin/sh\nexit 101\n' > $$policy
		chmod 755 $$policy
	fi
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends "$${want[@]}" </dev/null >/dev/null
	for unit in $${units[@]+"$${units[@]}"}; do systemctl disable --quiet $$unit 2>/dev/null || true; done
