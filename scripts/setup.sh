#!/bin/sh
# Sees to it that what a task needs is there: setup.sh build|test|check|bench|packages|cross. Does nothing that is done
# already.
set -eu
. scripts/lib.sh

need_cargo() {
    have cargo || die "cargo is missing: install Rust (1.91 or later) with rustup, or the package of your distribution"
}

# Parts of the toolchain. What cannot be had is left to the caller: build.sh has other ways.
need_component() {
    have rustup && rustup component add "$1" >/dev/null 2>&1 || true
}

need_target() {
    [ -d "$(rustc --print sysroot)/lib/rustlib/$1/lib" ] ||
        { have rustup && rustup target add "$1" >/dev/null 2>&1 || true; }
}

need_sources() {
    [ -e "$(rustc --print sysroot)/lib/rustlib/src/rust/library/std/Cargo.toml" ] || need_component rust-src
}

# Debian packages, by a program or a file that each brings.
need_packages() {
    missing=
    for pair in "$@"; do
        have "${pair%%:*}" || [ -e "${pair%%:*}" ] || missing="$missing ${pair#*:}"
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" = 0 ] && have apt-get; then
        say "installing:$missing"
        apt-get update -qq >/dev/null || true
        # shellcheck disable=SC2086
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
            die "unable to install:$missing"
    else
        die "please install what is missing; as Debian packages:$missing"
    fi
}

# A kernel and a busybox for guests, taken out of Debian's packages: installed they would be the machine's own.
need_guest() {
    [ ! -e "$guest/modules" ] || return 0
    have apt-get || die "please provide $guest/vmlinuz and a static $guest/busybox"
    rm -rf "$guest.new"
    mkdir -p "$guest.new"
    kernel=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-[^ ]*\)/\1/p' | head -n 1)
    say "fetching for guests: $kernel busybox-static"
    (cd "$guest.new" && apt-get download -qq "$kernel" busybox-static >/dev/null 2>&1) ||
        die "unable to fetch: $kernel busybox-static"
    for package in "$guest.new"/*.deb; do
        dpkg-deb -x "$package" "$guest.new/files"
    done
    mv "$guest.new"/files/boot/vmlinuz-* "$guest.new/vmlinuz"
    mv "$guest.new/files/bin/busybox" "$guest.new/busybox"
    mkdir "$guest.new/modules"
    for module in watchdog softdog; do
        mv "$guest.new"/files/lib/modules/*/kernel/drivers/watchdog/$module.ko "$guest.new/modules"
    done
    rm -rf "$guest.new/files" "$guest.new"/*.deb "$guest"
    mv "$guest.new" "$guest"
}

# What others have written for runit: vsv, and of Ansible's collections the module that asks sv.
need_clients() {
    [ -x "$clients/bin/vsv" ] || {
        say "building for tests: vsv"
        cargo install --quiet --locked --root "$clients" --target-dir "$clients/build" vsv --version 2.0.0 ||
            die "unable to build vsv"
        rm -rf "$clients/build"
    }
    [ ! -e "$clients/runit.py" ] || return 0
    have apt-get || die "please provide $clients/runit.py, of Ansible's community.general"
    say "fetching for tests: ansible"
    mkdir -p "$clients/ansible"
    (cd "$clients/ansible" && apt-get download -qq ansible >/dev/null 2>&1) || die "unable to fetch: ansible"
    dpkg-deb --fsys-tarfile "$clients/ansible"/*.deb |
        tar -x -O --wildcards '*/community/general/plugins/modules/runit.py' >"$clients/runit.py.new"
    rm -r "$clients/ansible"
    mv "$clients/runit.py.new" "$clients/runit.py"
}

# The sources of musl as Debian has them, which apt fetches by lists of its own: the machine's may be without sources.
need_musl() {
    [ ! -e "$musl/source/configure" ] || return 0
    have apt-get || die "please provide the sources of musl in $musl/source"
    say "fetching the sources of musl"
    rm -rf "$musl/new"
    mkdir -p "$musl/new/lists/partial" "$musl/new/cache/archives/partial"
    apt-get indextargets --format 'deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' |
        sort -u >"$musl/new/sources.list"
    printf 'Dir::%s "%s";\n' Etc::SourceList "$musl/new/sources.list" Etc::SourceParts - State::Lists "$musl/new/lists" \
        Cache "$musl/new/cache" >"$musl/new/conf"
    (cd "$musl/new" && export APT_CONFIG="$musl/new/conf" && apt-get update -qq && apt-get source -qq --download-only musl) \
        >/dev/null 2>&1 || die "unable to fetch the sources of musl"
    mkdir "$musl/new/source"
    tar -xzf "$musl"/new/musl_*.orig.tar.gz --strip-components 1 -C "$musl/new/source"
    rm -rf "$musl/source"
    mv "$musl/new/source" "$musl/source"
    rm -rf "$musl/new"
}

need_cargo
case ${1:-build} in
    build)
        need_packages cc:gcc
        need_sources
        need_target "$target"
        ;;
    test)
        need_packages cc:gcc runsv:runit strace:strace setpriv:util-linux last:util-linux svc:daemontools ps:procps \
            /usr/share/zoneinfo/Europe/Berlin:tzdata perl:perl runc:runc mandoc:mandoc groff:groff-base \
            zsh:zsh fish:fish /usr/share/bash-completion/bash_completion:bash-completion \
            s6-svscan:s6 systemd-notify:systemd tini:tini dumb-init:dumb-init /usr/sbin/socklog:socklog umoci:umoci \
            ansible:ansible-core python3:python3
        need_clients
        if [ "$(uname -m)" = x86_64 ]; then
            need_packages qemu-system-x86_64:qemu-system-x86
            need_guest
        fi
        ;;
    check)
        cargo fmt --version >/dev/null 2>&1 || need_component rustfmt
        cargo clippy --version >/dev/null 2>&1 || need_component clippy
        need_target aarch64-unknown-linux-musl
        need_packages mandoc:mandoc groff:groff-base strace:strace runsv:runit
        ;;
    bench)
        need_packages cc:gcc runsv:runit s6-svscan:s6 svscan:daemontools busybox:busybox strace:strace \
            python3:python3 musl-gcc:musl-tools tini:tini qemu-system-x86_64:qemu-system-x86
        need_guest
        ;;
    packages) need_packages dpkg-deb:dpkg debootstrap:debootstrap ;;
    cross)
        need_packages cc:gcc make:make clang:clang ar:binutils unshare:util-linux \
            /usr/bin/qemu-mips-static:qemu-user-static
        need_sources
        need_musl
        ;;
    *) die "unknown task: $1" ;;
esac
