#!/bin/sh
# Boots a kernel in QEMU with an initramfs of the static program and busybox, and prints what its console shows:
# boot.sh PROGRAM SCRIPT. SCRIPT is run by busybox' sh as process 1, with /proc, /sys, /dev and control groups
# mounted and svbox' programs in PATH; the machine is off when it ends.
set -eu
program=$(readlink -f "$1")
script=$(readlink -f "$2")
. scripts/lib.sh
[ -e "$guest/vmlinuz" ] || die "no kernel to boot: scripts/setup.sh test"
root=$(mktemp -d)
chmod 755 "$root"
trap 'rm -rf "$root"' EXIT

mkdir -p "$root/bin" "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/etc" "$root/var/tmp"
cp "$guest/busybox" "$root/bin/busybox"
cp "$program" "$root/bin/svbox"
cp "$script" "$root/script"
printf 'root:x:0:0::/:/bin/sh\nwww:x:1000:1000::/:/bin/sh\n' >"$root/etc/passwd"
cat >"$root/init" <<'END'
#!/bin/busybox sh
export PATH=/bin
busybox mount -t proc proc /proc
busybox --install -s /bin
svbox --install -s /bin
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t cgroup2 cgroup2 /sys/fs/cgroup
sh /script
poweroff -f
END
chmod 755 "$root/init"

(cd "$root" && find . | "$guest/busybox" cpio -o -H newc 2>/dev/null | gzip -1 >"$root.gz")
trap 'rm -rf "$root" "$root.gz"' EXIT
# The console has a carriage return at the end of each line.
qemu-system-x86_64 -m 256 -nographic -no-reboot -kernel "$guest/vmlinuz" -initrd "$root.gz" \
    -append "console=ttyS0 quiet panic=-1 lsm=landlock" </dev/null | tr -d '\r'
