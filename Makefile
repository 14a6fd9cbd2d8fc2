# sq-micro. `make help` lists what there is; each target sets up what it needs.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
JOBS   ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-fast test-long check format fuzz bench bench-kernels bench-cycles bench-quantization readme extras schema clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-18s %s\n", $$1, $$2}'

setup: $(STAMP) ## create .venv with everything that pip can install

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

demo: $(STAMP) ## deploy the digits model to a NUCLEO-L4R5ZI on the simulated core
	$(BIN)/python examples/digits/samples.py out/digits-samples
	$(BIN)/sq-micro deploy examples/digits/digits.keras --board nucleo_l4r5zi \
	  --calibrate out/digits-samples/calib.npz --evaluate out/digits-samples/eval.npz \
	  --weight-bits 4 --out out/digits

test: $(STAMP) ## all tests that this machine can run
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -q -m 'not long'

test-long: $(STAMP) ## the same at greater depth: fuzzers and random searches with many more cases
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -q -m long

test-fast: $(STAMP) ## the tests without simulators and long runs
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -q -m 'not long and not slow and not simulator and not qemu'

check: $(STAMP) ## ruff, mypy, clang-format, then all tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	git ls-files '*.c' '*.h' | xargs $(BIN)/clang-format --dry-run --Werror
	$(MAKE) test

format: $(STAMP) ## bring Python and C into the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	git ls-files '*.c' '*.h' | xargs $(BIN)/clang-format -i

SECONDS ?= 60
fuzz: $(STAMP) ## the firmware's parsers under libFuzzer with ASan and UBSan, SECONDS each; needs clang
	$(BIN)/python -m tests.fuzz.build $(SECONDS)

bench: $(STAMP) ## speed of deployment and simulation, size of the firmware
	$(BIN)/python -m tests.bench.deploy
	$(BIN)/python -m tests.bench.link
	$(BIN)/python -m tests.bench.kernels

bench-kernels: $(STAMP) ## instructions and cycles of every layer on a Cortex-M4, beside other libraries'; minutes
	$(BIN)/python -m tests.bench.kernels

bench-cycles: $(STAMP) ## rules of the cycle models, and their errors against silicon
	$(BIN)/python -m tests.bench.cycles --docs

bench-quantization: $(STAMP) ## accuracy over bytes, by allocator; minutes
	$(BIN)/python -m tests.bench.quantization

readme: $(STAMP) ## run what README.md shows, and put what it prints there
	$(BIN)/python -m tests.bench.readme
	$(BIN)/python -m tests.bench.deploy --readme
	$(BIN)/python -m tests.bench.kernels --readme
	$(BIN)/python -m tests.bench.quantization --readme

schema: $(STAMP) ## rewrite the JSON schema of result.json from the code
	$(BIN)/python -m sq_micro.report.write_schema

extras: ## Debian: QEMU, GNU compilers and Chromium, for the tests that give a second opinion
	apt-get update -qq
	apt-get install -y -qq --no-install-recommends qemu-system-arm qemu-system-misc gcc-arm-none-eabi \
	  gcc-riscv64-unknown-elf clang libclang-rt-14-dev chromium

clean: ## remove what was built
	rm -rf out build dist
