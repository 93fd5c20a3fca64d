#!/bin/sh
# Builds subsets of the programs: each alone, none, and some pairs; and the floors for another kind of machine,
# where some of the lowest are others. Warnings are errors.
set -eu
. scripts/lib.sh
for subset in "" chpst softlimit setlock setuidgid envuidgid envdir pgrphack runsv runsvdir in-process policy "runsv policy sv" runsvchdir sv svlogd svc svok svstat init runit runit-init telinit pid1 utmpset shutdown halt poweroff reboot switch_root socklog socklog-check uncat tryto doctor "runsv sv" "svc svok" "runsvdir svstat"; do
    cargo clippy --quiet --no-default-features --features "$subset"
done

other=aarch64-unknown-linux-musl
if [ -d "$(rustc --print sysroot)/lib/rustlib/$other/lib" ]; then
    cargo clippy --quiet --lib --target "$other"
else
    say "not checked for another machine: rustup target add $other"
fi
