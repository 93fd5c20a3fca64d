#!/bin/sh
# Boots a kernel in QEMU with an initramfs of the static program and busybox, and prints what its console shows:
# boot.sh PROGRAM SCRIPT. SCRIPT is run by busybox' sh as process 1, with /proc, /sys, /dev and control groups
# mounted and svbox' programs in PATH; the machine is off when it ends.
set -eu
program=$(readlink -f "$1")
script=$(readlink -f "$2")
. scripts/lib.sh
[ -e "$guest/vmlinuz" ] || die "no kernel to boot: scripts/setup.sh test"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/root/etc"
cp "$script" "$work/root/script"
printf 'root:x:0:0::/:/bin/sh\nwww:x:1000:1000::/:/bin/sh\n' >"$work/root/etc/passwd"
cat >"$work/root/init" <<'END'
#!/bin/sh
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t cgroup2 cgroup2 /sys/fs/cgroup
. /script
poweroff -f
END
chmod 755 "$work/root/init"
scripts/initramfs.sh "$program" "$work/initramfs" "$work/root"

# The console has a carriage return at the end of each line.
qemu-system-x86_64 -m 256 -nographic -no-reboot -kernel "$guest/vmlinuz" -initrd "$work/initramfs" \
    -append "console=ttyS0 quiet panic=-1 lsm=landlock" </dev/null | tr -d '\r'
