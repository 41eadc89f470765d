# Every command of the project. `make course` and `make test` are all that a newcomer
# needs; both make .venv first.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := $(CURDIR)/.venv
READY := $(VENV)/.ready
BOOK := _build/html
# The sandbox is Linux's; the sample class is ours, and may run without it elsewhere.
UNSAFE := $(if $(filter Linux,$(shell uname)),,--unsafe-no-sandbox)
# nbgrader runs its tools by name
export PATH := $(VENV)/bin:$(PATH)

.PHONY: help course test book assignments grade serve check bench policies clean

help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 14

course: book assignments grade ## build the book, release the assignments, grade a sample class
	@echo
	@echo "The book:    file://$(CURDIR)/$(BOOK)/index.html   (or: make serve)"
	@echo "The release: assignments/release/ and _build/release/"
	@echo "The marks:   _build/marks.csv; feedback in assignments/feedback/"

test: $(READY) book ## run all tests
	@tools/need chromium bwrap=bubblewrap
	python -m pytest --numprocesses=2 --dist=loadfile --durations=25

book: $(READY) ## build the book into _build/html; a warning is an error
	jupyter-book build book -W -n --keep-going

assignments: $(READY) ## build and release the assignments
	chula-rl assignments release

grade: assignments ## make a sample class, grade it, print its marks
	$(if $(UNSAFE),,@tools/need bwrap=bubblewrap)
	chula-rl assignments sample-class reinforce
	chula-rl grade reinforce $(UNSAFE) || [ $$? -eq 3 ] # 3: all done, and some need a look

serve: book ## serve the book at http://localhost:8000
	python -m http.server --directory $(BOOK) --bind localhost 8000

check: $(READY) book ## lint, format, types, the import rule, links inside the book
	ruff check .
	ruff format --check .
	mypy
	lint-imports
	python tools/check_links.py $(BOOK)

bench: $(READY) ## speed of environments, updates, training and grading, beside others
	chula-rl bench env
	chula-rl bench update
	chula-rl bench train
	chula-rl bench grading

policies: $(READY) ## train the policies that come with the package
	for a in reinforce a2c ddpg; do \
		chula-rl train $$a --seed 1 --no-gif --overwrite --out _build/policies/$$a && \
		chula-rl export _build/policies/$$a --out chula_rl/data/$$a.safetensors || exit 1; \
	done

clean: ## remove everything that was built (not .venv)
	rm -rf _build assignments/{release,submitted,autograded,feedback,gradebook.db*,grades.csv}
	find assignments book -name '*.ipynb' -delete

$(READY): requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed, $(PYTHON) is older: make PYTHON=python3.12"; exit 1; }
	umask 022 && $(PYTHON) -m venv $(VENV) # the sandbox's user has to read it
	umask 022 && python -m pip install --quiet --requirement requirements.txt
	umask 022 && python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
