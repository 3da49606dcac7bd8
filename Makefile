# Two commands do everything: `make demo` runs the main job, `make test` passes the tests.
# Both need only Python 3.11 or newer (with venv) and cargo.

PYTHON ?= python3
ENVIRONMENT = .venv
UV = UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=true UV_PROJECT_ENVIRONMENT=$(ENVIRONMENT) .venv/bin/uv
RUN = $(ENVIRONMENT)/bin/
RUST = $(shell find native -name '*.rs' -o -name 'Cargo.*' | grep -v target)
# More than there are cores: journeys wait for each other.
WORKERS ?= 3

# A cargo of rustup's looks for its toolchains below HOME; under another HOME it finds those it was installed with.
RUSTUP_HOME ?= $(patsubst %/.cargo/bin/cargo,%/.rustup,$(filter %/.cargo/bin/cargo,$(shell command -v cargo)))
ifneq ($(RUSTUP_HOME),)
export RUSTUP_HOME
endif

.PHONY: demo test test-slow lint native-test unit docs reference fuzz sync clean

demo: sync  ## a made-up population, one study from import to audit
	$(RUN)nebula demo

test: .venv/synced-dev  ## everything that must hold before a change lands
	$(MAKE) --jobs 2 --output-sync=target lint docs native-test
	$(MAKE) unit

lint: .venv/synced-dev
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy
	$(RUN)lint-imports
	$(RUN)deptry src
	+cargo fmt --manifest-path native/Cargo.toml --check
	+cargo clippy --manifest-path native/Cargo.toml --release --all-targets -- -D warnings

# Optimised, for the tests are loops over all short inputs, but not across crates, which takes as long as the tests.
native-test: export CARGO_PROFILE_RELEASE_LTO = off
native-test: export CARGO_PROFILE_RELEASE_CODEGEN_UNITS = 16
native-test:
	+cargo test --manifest-path native/Cargo.toml --release --no-default-features

unit: .venv/synced-dev
	$(RUN)pytest -n $(WORKERS) --dist loadgroup

test-slow: .venv/synced-dev  ## sweeps that take long: every crash point, every flipped byte
	$(RUN)pytest -m slow

# The parsers that read other people's bytes, in turn, MINUTES of each; FUZZ="genome plink" takes some of them.
MINUTES ?= 10
FUZZ ?= $(sort $(notdir $(wildcard fuzz/corpus/*)))
fuzz: ENVIRONMENT = .venv-fuzz
fuzz: .venv-fuzz/synced
	$(RUN)python fuzz/run.py $$((60 * $(MINUTES))) $(FUZZ)

docs: .venv/synced-dev  ## the site, below site/; fails on a broken link
	$(RUN)zensical build --strict

sync: .venv/synced

.venv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'nebula: error: $(PYTHON) is older than 3.11, or missing'; echo 'nebula: hint: make PYTHON=python3.12 …'; exit 1; }
	@cargo --version >/dev/null || \
	  { echo 'nebula: error: no working cargo'; echo 'nebula: hint: install Rust from https://rustup.rs'; exit 1; }
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9'

# Compiled here once, lest each process of a network does it at its first start, or, where nothing may be written, at
# every one.
SYNC = $(UV) sync --quiet --frozen --inexact --all-extras --reinstall-package nebula-network --compile-bytecode
COMPILE = $(RUN)python -m compileall -q src

.venv/synced: .venv/bin/uv pyproject.toml uv.lock $(RUST)
	$(SYNC) --no-dev
	$(COMPILE)
	touch $@

.venv/synced-dev: .venv/bin/uv pyproject.toml uv.lock $(RUST)
	$(SYNC)
	$(COMPILE)
	touch .venv/synced $@

# An environment of its own, whose Rust core counts its branches for the libFuzzer that atheris brings, as cargo-fuzz has
# it done, and checks what only builds for debugging do.
COUNTED = -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions
.venv-fuzz/synced: ENVIRONMENT = .venv-fuzz
.venv-fuzz/synced: .venv/bin/uv pyproject.toml uv.lock $(RUST) $(shell find src -name '*.py')
	$(UV) sync --quiet --frozen --only-group fuzz
	RUSTFLAGS="$(COUNTED) -Clink-arg=$$(ls $(CURDIR)/$(RUN)../lib/python*/site-packages/atheris/core_with_libfuzzer*.so)" \
	  CARGO_BUILD_TARGET=$$(rustc -vV | sed -n 's/^host: //p') \
	  $(UV) sync --quiet --frozen --all-extras --no-dev --group fuzz --no-editable --reinstall-package nebula-network
	touch $@

reference: .venv/synced-dev  ## the reference of all commands, as --help has it
	$(RUN)python -c 'from nebula.cli.reference import reference; print(reference(), end="")' > docs/reference/commands.md

clean:
	rm -rf .venv .venv-fuzz site native/target .mypy_cache .ruff_cache .pytest_cache .hypothesis
