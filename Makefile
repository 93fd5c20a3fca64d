# Everything is made in target/; each target first sets up what it lacks.
DESTDIR =
PREFIX = /usr
BINDIR = $(PREFIX)/bin
SBINDIR = /sbin
MANDIR = $(PREFIX)/share/man
OUT = $(or $(CARGO_TARGET_DIR),target)

all: build

build:
	scripts/build.sh

demo: build
	scripts/demo.sh $(OUT)/bin

# The suite against a debug build, which ends when something is allocated after start-up; against the static
# program; and against the runit of the system, which shows that the tests tell runit's truth.
# Most tests wait most of the time, so there is one more at once than processors. What tests the library, the shells or the
# sources is the same in each of the three. What a shell has started in the background ignores INT and QUIT, and what the
# tests start would, too.
test: export RUST_TEST_THREADS ?= $(shell echo $$(($$(nproc) + 1)))
test: build
	scripts/setup.sh test
	env --default-signal cargo test
	SVBOX_PROGRAM=$(abspath $(OUT)/bin/svbox) env --default-signal cargo test -- --skip machine:: --skip layers:: --skip completions::
	SVBOX_SUITE=runit env --default-signal cargo test -- --skip machine:: --skip layers:: --skip completions::

check:
	scripts/setup.sh check
	cargo fmt --check
	cargo clippy --all-targets
	[ "$$(uname -m)" != x86_64 ] || \
		RUSTFLAGS="--cfg svbox_bare" CARGO_TARGET_DIR=$(OUT)/bare cargo clippy --lib
	scripts/features.sh
	cargo test --test suite -- layers:: pages::

bench: build
	scripts/setup.sh bench
	python3 scripts/bench.py $(OUT)/bin
	python3 scripts/bench_needs.py $(OUT)/bin
	python3 scripts/bench_log.py $(OUT)/bin
	python3 scripts/bench_chpst.py $(OUT)/bin
	CARGO_TARGET_DIR=$(OUT) python3 scripts/bench_init.py $(OUT)/bin

size: build
	scripts/size.sh

# Builds for other kinds of machines, and runs a part of the suite with each: TARGET=mips for one, or all of them.
cross:
	env -u TARGET scripts/cross.sh $(TARGET)

# A container image of the program alone; and archives to give away, with their checksums.
image: build
	scripts/image.sh $(OUT)/bin/svbox $(OUT)/image

dist: build
	scripts/dist.sh $(OUT)/bin/svbox $(OUT)/dist

# Whether two builds in two places are equal, bit for bit.
reproduce:
	env -u TARGET scripts/reproduce.sh $(TARGET)

# Whoever wants it to be process 1 as well asks for that by name: other inits have programs of the same names.
install: build
	DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" BINDIR="$(BINDIR)" MANDIR="$(MANDIR)" \
		scripts/install.sh $(OUT)/bin/svbox

install-init: install
	DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" BINDIR="$(BINDIR)" SBINDIR="$(SBINDIR)" \
		scripts/install.sh $(OUT)/bin/svbox init

# Debian's packages; and by hand, as root, what they do to a Debian, which takes minutes. scripts/packaging has what
# Alpine's and Void's tools make theirs of.
packages: build
	scripts/packaging/debian.sh $(OUT)/bin/svbox $(OUT)/packages

try-packages: packages
	scripts/setup.sh packages
	CARGO_TARGET_DIR=$(OUT) scripts/packaging/try.sh $(OUT)/packages

clean:
	rm -rf $(OUT)

.PHONY: all build demo test check bench size cross image dist reproduce install install-init packages try-packages clean
