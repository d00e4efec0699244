# Floorhub. On a machine with Python 3.11+, make and git, `make run` is all it takes.
PYTHON ?= python3
SETUP := $(PYTHON) -I scripts/setup_environment.py
BIN := .venv/bin
#: Test processes at once; each test file stays in one. Tests wait as long as they compute, so that three keep two
#: processors busy. WORKERS=0: one after the other, in this process.
WORKERS ?= 3

# What a user's Python, pytest and mypy are told by the environment is not meant for ours: PYTHONPATH brings foreign
# packages, PYTHONOPTIMIZE drops assertions.
unexport $(filter-out PYTHONUTF8 PYTHONIOENCODING,$(filter PYTHON% PYTEST_% MYPY% RUFF_%,$(.VARIABLES)))
# In an old locale, such as ko_KR.eucKR, file names are UTF-8 all the same, and the terminal is not.
CHARMAP := $(filter-out UTF-8 ANSI_X3.4-1968,$(shell locale charmap 2>/dev/null))
ifneq ($(CHARMAP),)
export PYTHONUTF8 := 1
export PYTHONIOENCODING := $(CHARMAP):replace
endif

.DEFAULT_GOAL := help
.PHONY: help run test acceptance check pages web webtypes simulation killpoints chaos bench format lock clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)$$/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target text; do \
		printf '%-17s %s\n' "$$target" "$$text"; done

#: LAN=1 serves every address of this machine, LAN=192.168.0.10 only this one.
LISTEN := $(if $(filter 1,$(LAN)),0.0.0.0,$(LAN))
run: ## start everything on this machine; ONCE=1 carries out one command and stops; LAN=1 serves other machines, too
	@$(SETUP) run
	@$(BIN)/floorhub up $(if $(ONCE),--once) $(if $(LISTEN),--listen '$(LISTEN)') $(ARGS)

test: check ## all checks, then all tests; ARGS='-k broker' chooses
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

acceptance: ## what is too large for every run; PART=limits runs one part, without it they are listed
	@$(SETUP) dev
	@$(BIN)/python -m tests.acceptance.parts $(PART)

check: ## style, types and layers, of the pages, too
	@$(SETUP) dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/web.py check

pages: ## build the pages for people; `make run` does it, too, beside everything else
	@$(SETUP) run
	@$(BIN)/python -m hub.programs.web_build

web: ## pages that follow each change of hub/web, in front of a running hub (FLOORHUB_URL)
	@$(SETUP) run
	@$(BIN)/python scripts/web.py dev

webtypes: ## write the types that the pages know of the API anew
	@$(SETUP) run
	@$(BIN)/python scripts/web.py types

simulation: ## thousands of simulated floors, each from a seed; SEEDS=100000, ARGS='--seed 42' shows one
	@$(SETUP) dev
	@$(BIN)/python -m tests.simulation $(if $(SEEDS),--seeds $(SEEDS)) $(ARGS)

killpoints: ## kill agent and hub before each sync and send of a run (15 minutes); ARGS='--only agent'
	@$(SETUP) dev
	@$(BIN)/python -m tests.killpoints $(ARGS)

chaos: ## break a living floor in every way and compare the records; CHAOS_MINUTES=20 CHAOS_SEED=7
	@$(SETUP) dev
	@CHAOS_MINUTES=$(CHAOS_MINUTES) CHAOS_SEED=$(CHAOS_SEED) $(BIN)/python -m tests.chaos $(ARGS)

bench: ## measure, with the floor of this machine beside each figure
	@$(SETUP) dev
	@$(BIN)/python -m tests.bench $(ARGS)

format: ## put the code into the agreed form
	@$(SETUP) dev
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: ## lock newer versions of all dependencies
	@$(SETUP) lock

clean: ## remove the virtual environment and caches; data stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
