# `make` alone prints what there is. Python 3.11 or newer is all that has to be on the machine.

.DEFAULT_GOAL := help
.PHONY: help install run practice watch shell test faults faults-real check bench evidence docs strangers audit lock clean

PY := .venv/bin/python
BIN := .venv/bin

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' Makefile

install: ## Create .venv with everything that running and testing needs
	@sh scripts/install.sh dev

run: ## The whole system on a pretend exchange: dry run, nothing is sent
	@sh scripts/start.sh

practice: ## The same with practice money: approved orders are filled by the sandbox
	@sh scripts/start.sh --practice

watch: ## Follow the proposals of a running system and decide with single keys
	@sh scripts/install.sh run quiet && exec $(BIN)/polyb0t intents watch

shell: ## A prompt where `polyb0t` works
	@sh scripts/install.sh run quiet && exec sh scripts/shell.sh

test: ## All tests
	@sh scripts/install.sh dev quiet && exec $(PY) -m pytest -n 3 --dist loadgroup

faults: ## One shard of the fault suite (SEED=1 SHARD=1/1 MINUTES=85 DATABASE=sqlite), summed into docs/reliability.md
	@sh scripts/install.sh dev quiet && $(PY) -m tests.model && $(PY) -m tests.faults --seed $(or $(SEED),1) --shard $(or $(SHARD),1/1) --minutes $$(($(or $(MINUTES),85) * 3 / 4)) --database $(or $(DATABASE),sqlite) && $(PY) -m tests.faults.claims --seed $(or $(SEED),1) --shard $(or $(SHARD),1/1) --minutes $$(($(or $(MINUTES),85) / 4)) && $(PY) -m tests.faults.report

faults-real: ## The same with real processes, killed and stopped (SEED, SHARD, MINUTES, DATABASE=sqlite FACTOR=5)
	@sh scripts/install.sh dev quiet && $(PY) -m tests.faults.real --seed $(or $(SEED),1) --shard $(or $(SHARD),1/1) --minutes $(or $(MINUTES),85) --database $(or $(DATABASE),sqlite) --factor $(or $(FACTOR),5) && $(PY) -m tests.faults.report

check: ## Format, lint, types, layers, migrations, generated documents, lock
	@sh scripts/install.sh dev quiet && exec sh scripts/check.sh

bench: ## Speed and memory, as ratios against a named rival in the same run
	@sh scripts/install.sh dev quiet && exec $(PY) -m bench

evidence: ## Does the decision layer find what is there, and nothing else? Written into docs/evidence.md
	@sh scripts/install.sh dev quiet && exec $(PY) -m evidence

docs: ## Write CONFIG_LIVE_MODE.md and .env.example anew
	@sh scripts/install.sh dev quiet && exec $(PY) -m polyb0t.runtime.config_document CONFIG_LIVE_MODE.md .env.example

strangers: ## Run the vendor's clients against the sandbox and write the table of docs/sandbox.md anew
	@sh scripts/install.sh dev quiet && exec $(PY) -m tests.strangers

audit: ## Every locked dependency against the known holes (asks PyPI, OSV and npm)
	@sh scripts/install.sh dev quiet && exec $(PY) scripts/audit.py

lock: ## Resolve the dependencies anew into the two lock files
	@sh scripts/install.sh dev quiet && exec sh scripts/lock.sh

clean: ## Remove what the targets above made (not your data directory)
	@rm -rf .venv .tools node_modules build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
