# Everything a person or a machine needs to say to LinkPay. Needs Python 3.11 or newer, git and make.
#
# The virtual environment is made by these rules and made again only when Python or a requirements
# file changes: each install leaves a stamp that is younger than what it was made from.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

# Tests start hundreds of programs; that what Python compiled is not kept would be half of their start.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3 python; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& command -v "$$name" && break; done)
PYTEST = $(PY) -m pytest $(if $(DB),--database '$(DB)')
LOCK := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --quiet --custom-compile-command 'make lock'

.PHONY: help run test again check bench chaos outage siege soak model lives crashes fuzz mutants mutation bom screenshots owner-docs format lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/.local ## Run everything on this machine, providers included; Ctrl-C stops it
	@exec $(PY) -m linkpay.local $(if $(DB),--database '$(DB)')

# The tests with real processes hold promises in seconds, so they have the machine to themselves. The others
# wait for a quarter of their time: four at once keep two cores busy.
test: $(VENV)/.dev ## Run the tests; T=path for a part, DB=postgresql://... for that database
ifdef T
	@$(PYTEST) $(T)
else
	@alone=0; $(PYTEST) -o testpaths=tests/processes || alone=$$?; \
		$(PYTEST) --ignore=tests/processes -n 4 --dist worksteal; exit $$alone
endif

again: $(VENV)/.dev ## Run all tests again and again and keep what a red run said in var/; N=20
	@mkdir -p var; red=0; for run in $$(seq $(or $(N),20)); do \
		if $(MAKE) --no-print-directory test > "var/again-$$run.log" 2>&1; \
		then said=green; rm "var/again-$$run.log"; else said="red, see var/again-$$run.log"; red=$$((red + 1)); fi; \
		echo "run $$run: $$said"; done; echo "$$red of $(or $(N),20) runs were red"; test $$red = 0

check: $(VENV)/.dev ## Lint, format, types, import contracts and size budgets
	@echo 'ruff check'; $(BIN)/ruff check .
	@echo 'ruff format'; $(BIN)/ruff format --check .
	@echo 'mypy'; $(BIN)/mypy
	@echo 'import contracts'; $(BIN)/lint-imports --no-cache
	@echo 'size budgets'; $(PY) -m pytest tests/test_budgets.py

bench: $(VENV)/.dev ## Measure everything into one table and var/benchmarks.json; S=ingest for a part
	@$(PY) -m tests.bench $(S) $(if $(DB),--database '$(DB)') $(if $(ROUNDS),--rounds $(ROUNDS))

chaos: $(VENV)/.dev ## Kill, stop and starve everything while people pay, and judge the books; DB=own, DB=hosts, KILLS=100
	@$(PY) -m tests.chaos $(if $(DB),--database '$(DB)') $(if $(SHORT),--short) $(if $(KILLS),--kills $(KILLS)) $(if $(SEED),--seed $(SEED))

outage: $(VENV)/.dev ## Be away for a day while 5,000 pay, then Kajabi; BUYERS=5000
	@$(PY) -m tests.chaos.outage $(if $(DB),--database '$(DB)') --buyers $(or $(BUYERS),5000)

siege: $(VENV)/.dev ## 10,000 requests a minute by one forger while others buy; LASTING=60, WEBHOOKS=1
	@$(PY) -m tests.chaos.siege $(if $(DB),--database '$(DB)') $(if $(WEBHOOKS),--webhooks) --seconds $(or $(LASTING),60)

soak: $(VENV)/.dev ## Chaos for hours, each round with a new seed; MINUTES=480
	@$(PY) -m tests.chaos $(if $(DB),--database '$(DB)') --minutes $(or $(MINUTES),480)

model: $(VENV)/.dev ## Random schedules of all that can go wrong; N=1000, FIRST=seed, ALL=1 for every boundary
	@$(PY) -m tests.model --seeds $(or $(N),1000) --first $(or $(FIRST),0) $(if $(ALL),--deviations --pairs 2000)

lives: $(VENV)/.dev ## Long random lives of members, owners and banks, judged after every act; N=300, FIRST=seed
	@$(PY) -m tests.lives --lives $(or $(N),300) --first $(or $(FIRST),0)

crashes: $(VENV)/.dev ## Kill every story at every boundary, in one process and by SIGKILL; make test does some
	@$(PYTEST) -n 2 --dist worksteal tests/flows/test_crashes.py \
		tests/flows/test_kills.py --every-boundary

fuzz: $(VENV)/.dev ## Whatever may come in at the API, forms, webhooks and files; N=1000 for each
	@$(PYTEST) -n 2 tests/security/test_fuzz.py tests/security/test_injection.py \
		--fuzz $(or $(N),1000)

mutants: $(VENV)/.dev ## Make each known mistake in a copy and see that a test notices; M=part of a name
	@$(PY) -m tests.mutants $(M)

mutation: $(VENV)/.dev ## Score the tests of money and access by small changes to their rules; M=money for a part
	@$(PY) -m tests.mutants.score $(M)

bom: $(VENV)/.dev ## Write what is pinned as a bill of materials, CycloneDX JSON, into var/bom.json
	@$(PY) -m tests.supply

screenshots: $(VENV)/.dev ## Take pictures of every page into var/screenshots; needs Chromium
	@$(PY) -m tests.browser.screenshots

owner-docs: $(VENV)/.dev ## Take the pictures of docs/owner anew; needs Chromium
	@$(PY) -m tests.browser.owner_docs

format: $(VENV)/.dev ## Put the code in its form
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock: $(VENV)/.dev ## Resolve all requirements anew and pin them with hashes
	@$(LOCK) --upgrade -o requirements.txt
	@$(LOCK) --upgrade --extra local -c requirements.txt -o config/requirements-local.txt
	@$(LOCK) --upgrade --extra sentry -c requirements.txt -o config/requirements-sentry.txt
	@$(LOCK) --upgrade --extra otel -c requirements.txt -o config/requirements-otel.txt
	@$(LOCK) --upgrade --extra local --extra sentry --extra otel --extra dev -c config/requirements-local.txt \
		-c config/requirements-sentry.txt -c config/requirements-otel.txt -o config/requirements-dev.txt
	@echo 'requirements.txt and config/requirements-local.txt, -sentry.txt, -otel.txt and -dev.txt are fresh'

clean: ## Remove the virtual environment and caches; data under var/ stays
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	@test -n '$(PYTHON)' || { echo 'LinkPay needs Python 3.11 or newer and found none.' \
		'Install one, or name it: make PYTHON=/path/to/python3'; exit 1; }
	@echo 'Making the virtual environment with $(PYTHON)'
	@rm -rf $(VENV)
	@'$(PYTHON)' -m venv $(VENV) || { rm -rf $(VENV); echo 'This Python cannot make virtual environments;' \
		'on Debian and Ubuntu: apt-get install python3-venv'; exit 1; }

$(VENV)/.local: config/requirements-local.txt | $(PY)
	@$(call install,$<)

$(VENV)/.dev: config/requirements-dev.txt | $(PY)
	@$(call install,$<)
	@touch $(VENV)/.local

# A line per package, so that nobody wonders whether it still lives. (pipefail here: old makes know no .SHELLFLAGS.)
install = set -o pipefail; total=$$(grep -c '^[a-z]' $(1)); echo "Installing the $$total packages of $(1)"; \
	$(PY) -m pip install --disable-pip-version-check --no-input --progress-bar off --require-hashes -r $(1) \
	| awk -v total="$$total" '/^Ignoring/ { ++count } \
		/^(Collecting|Processing|Requirement already)/ { name = $$1 == "Requirement" ? $$4 : $$2; sub(/.*\//, "", name); \
		printf "  %2d/%d %s\n", ++count, total, name; fflush() } \
		/^Installing/ { print "  unpacking"; fflush() }' \
	&& touch $@
