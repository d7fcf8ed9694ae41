# The one place that knows the order of the commands and the paths between them.
SHELL := /bin/sh
PYTHON ?= python3

# Taken unexpanded and handed over through the environment, so that quotes and $ in a name stay harmless.
override ETA := $(value ETA)
override NETWORK := $(value NETWORK)
override EPOCHS := $(value EPOCHS)
override SEED := $(value SEED)
override AUTHOR := $(value AUTHOR)
override TITLE := $(value TITLE)
override FILE := $(value FILE)
override HTML := $(value HTML)
override ANNOTATE := $(value ANNOTATE)
override FIXED := $(value FIXED)
override FORCE := $(value FORCE)
override FULL := $(value FULL)
override OUT := $(if $(value OUT),$(value OUT),out)
export ETA NETWORK EPOCHS SEED AUTHOR TITLE FILE HTML ANNOTATE FIXED FORCE FULL OUT

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check install --quiet

WORKBOOK_FLAGS = $${NETWORK:+--network="$$NETWORK"} $${ETA:+--learning-rate="$$ETA"} $${AUTHOR:+--author="$$AUTHOR"}
CHECK_FLAGS = $${HTML:+--html="$$HTML"} $${ANNOTATE:+--annotate="$$ANNOTATE"} $${FIXED:+--fixed="$$FIXED"} $${FORCE:+--force}
TRAINING_FLAGS = $${EPOCHS:+--epochs="$$EPOCHS"} $${SEED:+--seed="$$SEED"}
PAGE_FLAGS = $${AUTHOR:+--author="$$AUTHOR"} $${TITLE:+--title="$$TITLE"}
NPM := $(shell command -v npm 2>/dev/null)
NODE := tests/scripts/node_modules

# For what mypy knows nothing of where it is not installed: torch, and what runs the notebook.
UNTYPED := --ignore-missing-imports --allow-subclassing-any --no-warn-unused-ignores

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help report workbook train check prove quick test lint campaign bench handin pdf pictures clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo 'Variables: ETA= (learning rate of the sheet)  NETWORK= (a shipped name or my.toml)  EPOCHS=  SEED=  AUTHOR=  TITLE=  FILE=  HTML=  ANNOTATE=  FIXED=  FORCE=  OUT= (default out)  PYTHON='

# Both parts' results, which the page and the hand-in folder are made from.
define results
@$(PY) -m backprop workbook $(WORKBOOK_FLAGS) --output="$$OUT/backprop.xlsx"
@$(PY) -m mnist train --keep-finished $(TRAINING_FLAGS) --output="$$OUT/mnist"
@$(PY) -m mnist evaluate --output="$$OUT/mnist" --quiet
@[ -f "$$OUT/proof.json" ] || $(PY) -m backprop prove --output="$$OUT/proof.json"
endef

report: $(VENV)/report.stamp ## both parts of the assignment: workbook, trained network, page, hand-in folder
	$(results)
	@$(PY) -m reports build $(PAGE_FLAGS) --output="$$OUT"

handin: $(VENV)/handin.stamp ## the same with the notebook in the hand-in folder, and all of it packed in handin.zip
	$(results)
	@$(PY) -m reports handin $(PAGE_FLAGS) --output="$$OUT"

workbook: $(VENV)/base.stamp ## the live workbook alone (never installs torch); ETA=0.5 sets the learning rate
	@$(PY) -m backprop workbook $(WORKBOOK_FLAGS) --output="$$OUT/backprop.xlsx"

train: $(VENV)/report.stamp ## go on with an unfinished training, or move a finished one aside and train anew
	@$(PY) -m mnist train $(TRAINING_FLAGS) --output="$$OUT/mnist"

check: $(VENV)/base.stamp ## find what is wrong in a hand-made sheet, or in a folder of them: FILE='my sheet.xlsx' HTML=check.html ANNOTATE=marked FIXED=fixed
	@[ -n "$$FILE" ] || { echo "error: name a workbook or a folder: make check FILE='my sheet.xlsx'" >&2; exit 2; }
	@$(PY) -m backprop check $(CHECK_FLAGS) -- "$$FILE"

prove: $(VENV)/report.stamp ## compute the same numbers with seven engines and print how far they disagree
	@$(PY) -m backprop prove --output="$$OUT/proof.json"

pdf: $(VENV)/report.stamp ## the page on paper, out/report.pdf, where Chromium, Chrome or Edge is installed
	@[ -f "$$OUT/report.html" ] && [ -z "$$ETA$$NETWORK$$AUTHOR$$TITLE" ] || $(MAKE) --no-print-directory report
	@$(PY) -m reports pdf --output="$$OUT"

quick: $(VENV)/quick.stamp ## the tests that take a moment: no torch, browser, LibreOffice or network
	@QUICK=1 $(PY) -m pytest --numprocesses=auto --dist=worksteal -r fE

test: $(VENV)/dev.stamp ## run every test
	@$(PY) -m pytest --numprocesses=auto --dist=worksteal

bench: $(VENV)/dev.stamp ## what each command costs on this machine; FULL=1 trains to 99.4 %, FILE='a folder' checks it too
	@$(PY) -P tests/bench.py "$$OUT" "$$FILE"
	@$(PY) -m mnist bench --output="$$OUT/mnist" $${FULL:+--full}

pictures: $(VENV)/dev.stamp report ## photographs of the page in every state, and the pictures that README.md shows
	@$(PY) -P tests/gallery.py "$$OUT"

campaign: $(VENV)/base.stamp ## plant 4,000 mistakes in right sheets and see that `check` finds them (a quarter of an hour)
	@$(PY) -P tests/campaign.py

lint: $(VENV)/lint.stamp $(if $(NPM),$(NODE)/stamp) ## check format, style and types (mnist's own types, which need torch: .ci/run)
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy --package=backprop --package=reports $(UNTYPED)
	@$(if $(NPM),npm --prefix tests/scripts run --silent lint,echo 'not checked because npm is not installed: templates/scripts')

clean: ## remove everything generated, the trained network too; keeps .venv and the downloaded data
	@rm -rf -- "$$OUT/backprop.xlsx" "$$OUT/backprop.json" "$$OUT/report.html" "$$OUT/report.pdf" "$$OUT/pictures" "$$OUT/pictures-of-tests" "$$OUT/handin.zip" "$$OUT/mnist" "$$OUT/proof.json" "$$OUT/.cache"
	@for name in README.md S6.ipynb backprop.xlsx report.html pictures results; do rm -rf -- "$$OUT/handin/$$name"; done
	@rm -f -- "$$OUT"/handin/*.whl; rmdir -- "$$OUT/handin" 2>/dev/null || true
	@if [ -d "$$OUT" ]; then rmdir -- "$$OUT" 2>/dev/null || echo "kept $$OUT: it holds files that are not ours"; fi
	@rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(PY):
	@echo 'Creating $(VENV) (once) …'
	@"$(PYTHON)" -m venv $(VENV)

# What each stamp installs, and the stamps that need no more than that.
EXTRAS_report := [mnist,report,engines]
EXTRAS_handin := [mnist,report,engines,handin]
EXTRAS_quick := [report,quick]
EXTRAS_lint := [report,lint]
EXTRAS_dev := [mnist,report,engines,handin,export,quick,lint,dev]
COVERED_report := base
COVERED_handin := base report
COVERED_quick := base
COVERED_lint := base
COVERED_dev := base report handin quick lint

$(VENV)/%.stamp: pyproject.toml | $(PY)
	@echo 'Installing .$(EXTRAS_$*) (once$(if $(findstring mnist,$(EXTRAS_$*)),; torch takes some minutes)) …'
	@$(PIP) --editable '.$(EXTRAS_$*)' && touch $(patsubst %,$(VENV)/%.stamp,$* $(COVERED_$*))

$(NODE)/stamp: tests/scripts/package.json
	@npm --prefix tests/scripts install --no-audit --no-fund --loglevel=error && touch $@
