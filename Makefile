# Every target does its own set-up: on a fresh machine nothing but Python 3.11+ and the package registries is needed.

PYTHON ?= python3
STACK ?= ci
REPOSITORY ?= .
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Hundreds of short programs in Python: where this is set each of them compiles the project anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test test-quick test-scan lint setup scan destroy bench-pipeline bench-samples bench-engines bench-soak docs sample lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup  ## the whole job: set-up, cluster, load, report, everything down again (STACK=ci)
	@python -m loadtest pipeline --stack $(STACK)

test: lint test-quick  ## every test, those on a real cluster included
	@python -m pytest tests/e2e -m cluster --numprocesses=2 --dist=loadscope --no-loadscope-reorder

# Apart from the others, because much at once takes the processors from what a cluster's load is measured by;
# by modules, because a module's tests share what is costly.
test-quick: setup-test  ## the tests that need no cluster
	@python -m pytest -m "not cluster and not trivy" --numprocesses=4 --dist=loadscope --no-loadscope-reorder

# Apart from the others, because Trivy takes minutes to build where it cannot be downloaded.
test-scan: setup-test  ## the tests that ask the real Trivy
	@$(PYTHON) -m toolchain get trivy
	@python -m pytest -m trivy

# What mypy keeps lies beside the packages that most of it is about: clones share both, so none begins anew.
lint: setup-test  ## style, types, which module may import which, and the workflows
	@ruff format --check .
	@ruff check .
	@mypy --cache-dir "$(abspath $(dir $(realpath .venv/bin/mypy))../mypy-cache)"
	@lint-imports
	@actionlint -shellcheck= -pyflakes=
	@zizmor --offline --quiet --strict-collection .github

setup:  ## get every tool and image a run needs (STACK=ci)
	@$(PYTHON) -m toolchain setup --for run --stack $(STACK)

.PHONY: setup-test
setup-test:
	@$(PYTHON) -m toolchain setup --for test

.PHONY: setup-publish
setup-publish:
	@$(PYTHON) -m toolchain setup --for publish

# Of this repository every stack, for another one the stack that it brings.
SCANNED = $(if $(filter .,$(REPOSITORY)),$(patsubst Pulumi.%.yaml,%,$(wildcard Pulumi.*.yaml)),$(STACK))

scan: setup  ## what Trivy finds in REPOSITORY, in what the stacks would deploy, and in their images
	@for stack in $(SCANNED); do $(PYTHON) -m toolchain setup --for preview --stack $$stack || exit; done
	@$(PYTHON) -m toolchain get trivy
	@python -m loadtest scan --stacks $(SCANNED) --repository "$(REPOSITORY)"

.PHONY: adopt
adopt:
	@cp $(FROM)/Pulumi.*.yaml .

destroy: setup  ## take down what an interrupted run may have left (STACK=ci)
	@python -m loadtest destroy --stack $(STACK)

bench-pipeline: setup  ## the warm pipeline beside its floor, alternating, in seconds per stage and as a ratio
	@python -m bench.pipeline

bench-samples: setup-test  ## what a million samples cost: to take, on the disk, to sum up
	@python -m bench.samples

bench-engines: setup-test  ## every engine beside the others in one run: throughput, CPU, error of its latencies
	@python -m bench.engines

bench-soak: setup-test  ## the built-in engine for MINUTES at 1,000 requests a second (30): its memory may not grow
	@python -m bench.soak --minutes $(or $(MINUTES),30)

docs: setup-test  ## write the pages anew that are made from the program: every setting, every field of the report
	@python -m infra.reference
	@python -m loadtest.report.reference

# The picture takes a font with emoji, such as Debian's fonts-noto-color-emoji.
sample: setup-test  ## keep the newest run's comment as the documents' sample, with its picture
	@python docs/picture.py artifacts/comment.md

lock: setup-test  ## write requirements*.txt anew from pyproject.toml
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" pyproject.toml --output-file requirements.txt
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" --constraints requirements.txt pyproject.toml --group dev \
		--output-file requirements-dev.txt
	@echo locust | uv pip compile --quiet --python-version 3.11 --python-platform linux --generate-hashes \
		--custom-compile-command "make lock" --constraints requirements.txt - \
		--output-file toolchain/images/locust/requirements.txt

clean:  ## remove what set-up and runs made in this clone, stack state excepted; the user's cache stays
	@! ls .kubeconfigs/*/*.yaml >/dev/null 2>&1 || { echo "clusters of this clone are up: make destroy STACK=... first, for" .kubeconfigs/*/*.yaml >&2; exit 1; }
	@rm -rf .venv .toolchain .kubeconfigs artifacts .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
