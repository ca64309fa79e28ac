# Tidegate. `make demo` shows it, `make test` proves it; both do all the set-up that they need.
SHELL := /bin/bash
.DEFAULT_GOAL := help
RUN := source scripts/env.sh &&

.PHONY: help setup build lint test e2e bench demo up clean

help: ## Show the targets
	@awk -F':.*## ' '/^[a-z0-9]+:.*## /{printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Bring Node, the npm packages and a nats-server into this checkout
	@bash scripts/setup.sh

build: ## Compile everything
	@bash scripts/setup.sh --build

lint: setup ## Check style, types and floating promises
	@$(RUN) node_modules/.bin/biome check --error-on-warnings .
	@$(RUN) node_modules/.bin/tsc -b

test: build ## Run every test suite: unit, property, integration, faults, e2e
	@$(RUN) node scripts/run-tests.js

e2e: build ## Run the tests across processes alone
	@$(RUN) node scripts/run-tests.js e2e faults

bench: build ## Measure against plain NATS, files and Redis; writes e2e/bench/results.json
	@$(RUN) node e2e/dist/bench/main.js

demo: build ## Stage a reaction-diffusion simulation and draw what comes out
	@$(RUN) node e2e/dist/demo/main.js

up: build ## Run Tidegate here: nats://127.0.0.1:4222
	@$(RUN) node services/tidegate/bin/tidegate.js up

clean: ## Remove what the targets made
	@rm -rf node_modules .tools .cache tidegate-data e2e/.out
	@find libs services e2e -type d \( -name dist -o -name node_modules \) -prune -exec rm -rf {} +
