#!/bin/sh
# Runs a command where programs for another kind of machine run as others do: emulated.sh MACHINE COMMAND [ARG...], with
# the machine's name as QEMU has it. The kernel starts QEMU for each of them. It is told so in a user namespace of the
# command's own, and the machine as a whole stays as it is; that takes Linux 6.7. The user stays who it is.
set -eu
[ $# -ge 2 ] || { echo "usage: $0 machine command [arg ...]" >&2; exit 100; }
. scripts/lib.sh
entry=/usr/lib/binfmt.d/qemu-$1.conf
shift
[ -e "$entry" ] || die "no $entry: scripts/setup.sh cross"

# It waits until it has been given the users of the machine, or for root as the only one has made itself that.
inside='read -r _ <"$1"
    mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc && cat "$2" >/proc/sys/fs/binfmt_misc/register || exit 111
    rm -r "${1%/*}"
    shift 2
    exec "$@"'
gate=$(mktemp -d)/gate
mkfifo "$gate"
if [ "$(id -u)" != 0 ]; then
    (echo >"$gate") &
    exec unshare --user --map-root-user --mount sh -c "$inside" sh "$gate" "$entry" "$@"
fi
unshare --user --mount sh -c "$inside" sh "$gate" "$entry" "$@" &
pid=$!
trap 'kill "$pid" 2>/dev/null || :; rm -rf "${gate%/*}"' EXIT
until [ "$(readlink "/proc/$pid/ns/user")" != "$(readlink /proc/self/ns/user)" ]; do kill -0 "$pid"; done
cat /proc/self/uid_map >"/proc/$pid/uid_map"
cat /proc/self/gid_map >"/proc/$pid/gid_map"
echo >"$gate"
code=0
wait "$pid" || code=$?
exit "$code"
