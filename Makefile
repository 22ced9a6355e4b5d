# All that is ever done with this project. CI calls nothing else (see .ci/run).
#
# Nothing needs to be installed by hand but Rust, make and a Python from 3.10 to 3.13: `make build` makes .venv and puts
# pinned tools into it. Python sources are used in place; Rust ones are built again when one of them has changed.
# With several Pythons, the first that .ci/pythons names is used for everything and the others for tests;
# `make test PYTHONS="3.12=/usr/bin/python3.12"` chooses others.

SHELL := /bin/bash
.SHELLFLAGS := -e -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:

ifndef PYTHONS
PYTHONS := $(shell .ci/pythons)
endif
export PYTHONS
ifeq ($(strip $(PYTHONS)),)
$(error No Python from 3.10 to 3.13 with venv was found on PATH)
endif
version = $(firstword $(subst =, ,$(1)))
program = $(patsubst $(1)=%,%,$(filter $(1)=%,$(PYTHONS)))
MAIN   := $(call version,$(firstword $(PYTHONS)))
ALL    := $(foreach python,$(PYTHONS),$(call version,$(python)))
OTHERS := $(filter-out $(MAIN),$(ALL))

PYTHON    := .venv/bin/python
STEP      := .ci/step
SOURCES   := Cargo.toml Cargo.lock pyproject.toml $(shell find crates \( -path '*/src/*.rs' -o -name Cargo.toml \))
PACKAGE   := $(shell find python -name '*.py' -o -name '*.pyi') constraints.txt
TEST_NEEDS := pytest numpy llvmlite mpmath cloudpickle joblib
DEV_NEEDS := $(TEST_NEEDS) maturin ruff mypy tqdm matplotlib

PIP := -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
export PYO3_PYTHON := $(CURDIR)/$(PYTHON)
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt

.PHONY: help build demo test judges judge-joblib judge-engines judge-numba bench check fmt deep sanitize clean
help:  ## this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1#\2/p' Makefile | column -t -s '#'

# ------------------------------------------------------------------------------------------------------------ build

build: .venv/.built  ## .venv with the release build and all tools; costs nothing when nothing has changed

.venv/.tools: constraints.txt
	@command -v cargo >/dev/null || { echo 'Rust is needed to build: https://rustup.rs' >&2; exit 1; }
	$(call program,$(MAIN)) -m venv .venv
	$(PYTHON) $(PIP) $(DEV_NEEDS)
	@touch $@

.venv/.built: .venv/.tools $(SOURCES)
	VIRTUAL_ENV=$(CURDIR)/.venv .venv/bin/maturin develop --release --locked --quiet
	@touch $@

# The other Pythons: an environment and a build each, less optimised because it is only tested. What knows no Python is built once for all.
.venv-%/.tools: constraints.txt
	$(call program,$*) -m venv .venv-$*
	.venv-$*/bin/python $(PIP) $(TEST_NEEDS) maturin tqdm
	@touch $@

# As a wheel, which the judges take, too: what knows the version of Python is compiled once for each.
target/wheels/%/.built: .venv-%/.tools $(SOURCES) $(PACKAGE)
	@rm -rf $(@D)
	$(MATURIN) build --profile dev-fast --locked --quiet --interpreter .venv-$*/bin/python --out $(@D)
	@touch $@

.venv-%/.built: target/wheels/%/.built
	.venv-$*/bin/python $(PIP) --force-reinstall --no-deps $(<D)/*.whl
	@touch $@

MATURIN = env -u PYO3_PYTHON VIRTUAL_ENV=$(CURDIR)/.venv-$* CARGO_TARGET_DIR=$(CURDIR)/target/pythons .venv-$*/bin/maturin

# Of the build that everything else uses.
target/wheels/$(MAIN)/.built: .venv/.built $(PACKAGE)
	@rm -rf $(@D)
	VIRTUAL_ENV=$(CURDIR)/.venv .venv/bin/maturin build --release --locked --quiet --interpreter $(PYTHON) --out $(@D)
	@touch $@

.PRECIOUS: .venv-%/.tools .venv-%/.built target/wheels/%/.built

demo: build  ## real text on all cores: the serial answer, sooner, and by how much (about a minute)
	.venv/bin/mh demo

# ------------------------------------------------------------------------------------------------------------- test

test: check  ## everything that must pass: lints, Rust tests, loom's model, Python tests on every Python that is here
	@$(STEP) 'Rust tests of the engine (release)' cargo test --release --quiet --locked -p mh-engine
	@$(STEP) 'engine: ten million items, ten thousand workers; model of the slot protocol (loom)' .ci/abreast \
	    '$(MAKE) --no-print-directory target/.simulated' '$(MAKE) --no-print-directory target/loom/.passed'
	@$(STEP) 'Rust tests of store, runtime, pictures, traces, measurements' cargo test --quiet --locked -p mh-store -p mh-runtime -p mh-draw -p mh-trace -p mh-scale
	@$(STEP) 'Rust tests of the compiler' cargo test --quiet --locked -p mh-compile
	@$(STEP) 'Python tests' .ci/abreast \
	    '$(PYTHON) -m pytest --ignore tests/house --ignore tests/typing $(COMPILED:%=--ignore %)' '$(PYTHON) -m pytest $(COMPILED)' \
	    $(foreach version,$(filter $(ENDS),$(OTHERS)) $(filter-out $(ENDS),$(OTHERS)),'$(MAKE) --no-print-directory .venv-$(version)/.built && .venv-$(version)/bin/python -m pytest $(call other_tests,$(version))')
	@echo; echo 'all tests passed on Python $(ALL)'

# The compiler's tests keep one core busy, while the others wait for half of their time: they run beside each other.
COMPILED := tests/conformance/races tests/conformance/compiled $(wildcard tests/features/test_jit_*.py)

# On the others: what depends on the version of Python (pickling, failures, printing, the way a program is started).
OTHER_TESTS := -m "not slow" --ignore tests/conformance/races --ignore tests/conformance/compiled \
               tests/unit tests/conformance tests/features/test_sources.py tests/features/test_imports.py \
               $(patsubst %,tests/features/test_jit_%.py,arguments cache faces failures guards sources) tests/faults/test_worker_death.py \
               $(patsubst %,tests/features/test_%.py,timing scale compare trace memory)

# On those between the oldest and the newest without the conformance tests: what differs there differs at one of the ends, too.
ENDS := $(firstword $(sort $(ALL))) $(lastword $(sort $(ALL)))
other_tests = $(if $(filter $(1),$(ENDS)),$(OTHER_TESTS),$(filter-out tests/conformance,$(OTHER_TESTS)))

# Long checks of things that change rarely: done again when what they are about has changed.
target/.simulated: $(shell find crates/mh-engine -name '*.rs') Cargo.lock
	cargo test --release --quiet --locked -p mh-engine --test it -- --ignored
	@touch $@

target/loom/.passed: crates/mh-store/src/protocol.rs crates/mh-store/tests/loom.rs Cargo.lock
	RUSTFLAGS='--cfg loom' cargo test --quiet --locked -p mh-store --test loom --release --target-dir target/loom
	@touch $@

judges: $(ALL:%=target/wheels/%/.built)  ## other people's tests against ours: CPython's, on every Python that has them, joblib's, numba's; on= over Dask and MPI
	@$(STEP) 'judges' .ci/abreast \
	    $(foreach judge,$(lastword $(ALL)) joblib $(filter-out $(lastword $(ALL)),$(ALL)) engines numba,'$(MAKE) --no-print-directory judge-$(judge)')

judge-joblib: .judges/joblib/.installed
	@$(STEP) "joblib's tests, our backend" .judges/joblib/bin/python tests/judges/joblib_parallel.py backend
	@$(STEP) "joblib's tests, our Parallel" .judges/joblib/bin/python tests/judges/joblib_parallel.py face
	@$(STEP) 'scikit-learn on our backend' .judges/joblib/bin/python -m pytest tests/features/test_scikit_learn.py

judge-engines: .judges/engines/.installed
	@$(STEP) 'on= over Dask, two worker processes' .judges/engines/bin/python tests/judges/elsewhere_dask.py
	@$(STEP) 'on= over MPI, one worker and two' .judges/engines/bin/python tests/judges/elsewhere_mpi.py

judge-numba: .judges/numba/.installed
	@$(STEP) "numba's tests of parallel loops" .judges/numba/bin/python tests/judges/numba_parfors.py

judge-%: .judges/%/.installed
	@if $(call program,$*) -c 'import test._test_multiprocessing' 2>/dev/null; then \
	    $(STEP) "CPython $*'s pool tests" .judges/$*/bin/python tests/judges/cpython_pool.py; \
	    case ' $(PROCESS_JUDGES) ' in *' $* '*) \
	        $(STEP) "CPython $*'s process tests" .judges/$*/bin/python tests/judges/cpython_process.py;; \
	    esac; \
	    if $(call program,$*) -c 'import test.test_concurrent_futures' 2>/dev/null; then \
	        $(STEP) "CPython $*'s executor tests" .judges/$*/bin/python tests/judges/cpython_futures.py; \
	    fi; \
	else echo 'Python $* comes without its own tests: no judge'; fi

# Nearly three minutes each, mostly of waiting: on the Python that is built with, and the newest.
PROCESS_JUDGES := $(sort $(MAIN) $(lastword $(sort $(ALL))))

# As a user installs it: into an environment with nothing else.
.judges/%/.installed: target/wheels/%/.built
	$(call program,$*) -m venv .judges/$*
	.judges/$*/bin/python $(PIP) --force-reinstall $(<D)/*.whl
	@touch $@

# For joblib's tests and for scikit-learn on our backend.
.judges/joblib/.installed: target/wheels/$(MAIN)/.built
	$(call program,$(MAIN)) -m venv .judges/joblib
	.judges/joblib/bin/python $(PIP) --force-reinstall $(<D)/*.whl joblib scikit-learn threadpoolctl pytest
	@touch $@

# For compiled loops: numba, whose wheel brings its tests.
.judges/numba/.installed: target/wheels/$(MAIN)/.built
	$(call program,$(MAIN)) -m venv .judges/numba
	.judges/numba/bin/python $(PIP) --force-reinstall "$$(echo $(<D)/*.whl)[jit]" numba scipy
	@touch $@

# For on=: the extras, and the MPI of the package registry.
.judges/engines/.installed: target/wheels/$(MAIN)/.built
	$(call program,$(MAIN)) -m venv .judges/engines
	.judges/engines/bin/python $(PIP) --force-reinstall "$$(echo $(<D)/*.whl)[dask,mpi]" mpich numpy
	@touch $@

.PRECIOUS: .judges/%/.installed

bench: build  ## manyhands beside its peers, in one run (some minutes on a quiet machine)
	$(PYTHON) $(PIP) -r benches/requirements.txt
	$(PYTHON) benches/run.py $(BENCH)

# ---------------------------------------------------------------------------------------------------------- quality

check: build  ## formatting, lints, types, stubs: seconds when little has changed
	@$(STEP) 'rustfmt' cargo fmt --all --check
	@$(STEP) 'clippy' cargo clippy --quiet --locked --workspace --all-targets -- -D warnings
	@$(STEP) 'ruff format' .venv/bin/ruff format --check .
	@$(STEP) 'ruff' .venv/bin/ruff check .
	@$(STEP) 'mypy' .venv/bin/mypy
	@$(STEP) 'house rules and stubs' $(PYTHON) -m pytest tests/house tests/typing

fmt: .venv/.tools  ## formats Rust and Python sources in place
	cargo fmt --all
	.venv/bin/ruff check --fix --quiet . || true
	.venv/bin/ruff format --quiet .

sanitize:  ## the store's tests under the address sanitizer, where a nightly Rust is installed
	@if cargo +nightly --version >/dev/null 2>&1; then \
	    RUSTFLAGS=-Zsanitizer=address cargo +nightly test --quiet --locked -p mh-store \
	        --target x86_64-unknown-linux-gnu --target-dir target/asan; \
	else echo 'skipped: no nightly Rust is installed (rustup toolchain install nightly)'; fi

clean:  ## removes everything that was built
	rm -rf target .venv .venv-* .judges demo-output build .pytest_cache .ruff_cache .mypy_cache
	find python tests benches examples -name __pycache__ -prune -exec rm -rf {} +
	rm -f python/manyhands/*.so
