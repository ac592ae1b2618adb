# The ways into this repository. `make` lists them.

.DEFAULT_GOAL := help
.PHONY: help setup build demo test soak bench lint fmt docs install clean

help: ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## Install what is missing to build and test
	@scripts/setup.sh build test

build: ## Build the release binary, target/release/lockgate
	@scripts/setup.sh build
	cargo build --release --locked

demo: build ## Judge two model versions on real evidence: one allowed, one denied
	@scripts/demo.sh

test: ## Run all tests
	@scripts/setup.sh test
	eval cargo nextest run --workspace --locked "$$(scripts/testable.sh)"
	cargo test --workspace --locked --doc

soak: build ## Run the server for SOAK_SECONDS (600) under load and faults, and print the curve
	SOAK_BINARY=target/release/lockgate cargo test --locked --test soak -- --ignored --nocapture

bench: ## Print the performance figures as ratios
	@scripts/setup.sh build
	@benches/setup.sh
	cargo bench --locked

lint: ## Check formatting, lints, licences, bans and sources
	@scripts/setup.sh lint
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo deny --workspace --all-features check licenses bans sources

fmt: ## Format all code
	cargo fmt --all

docs: ## Write the schemas and the pages of the standard policies anew
	UPDATE_SCHEMA=1 UPDATE_DOCS=1 cargo nextest run --workspace --locked

install: ## Install lockgate for this user
	@scripts/setup.sh build
	cargo install --locked --path .

clean: ## Remove what was built
	cargo clean
