#!/bin/sh
# Makes a container image, in the layout of OCI: image.sh PROGRAM OUT [DIR...]. In it are the static PROGRAM as /bin/svbox,
# links for all of its programs, and what lies in each DIR, the last one on top; its process 1 is pid1, with the services
# of /etc/service and the command that the runtime is given. OUT becomes a directory, which umoci, skopeo and podman take.
# All files are root's and of one time, SOURCE_DATE_EPOCH or 1970: the same files make the same image.
set -eu
[ $# -ge 2 ] || { echo "usage: $0 program out [dir ...]" >&2; exit 100; }
umask 022
. scripts/lib.sh
program=$1 made=$2
while case $made in */) ;; *) false ;; esac; do made=${made%/}; done
# What others would not take for an image is not replaced.
[ -n "$made" ] && { [ ! -e "$made" ] || [ -e "$made/oci-layout" ]; } || die "$2 is there, and no image"
shift 2
mkdir -p "$(dirname "$made")"
beside=$(mktemp -d "$made.XXXXXX")
work=$(mktemp -d) new=$beside/new
trap clean EXIT

# The image that was there goes back if there is no other.
clean() {
    [ -e "$made" ] || mv "$beside/old" "$made" 2>/dev/null || :
    rm -rf "$work" "$beside"
}

# What OCI calls a machine of this target.
case $target in
    x86_64-*) machine='"amd64"' ;;
    i686-*) machine='"386"' ;;
    aarch64-*) machine='"arm64"' ;;
    armv7-*) machine='"arm","variant":"v7"' ;;
    riscv64*) machine='"riscv64"' ;;
    powerpc64le-*) machine='"ppc64le"' ;;
    mipsel-*) machine='"mipsle"' ;;
    *) machine="\"${target%%-*}\"" ;;
esac

mkdir -p "$work/root/bin" "$work/root/etc/service" "$work/root/run" "$work/root/tmp"
chmod 1777 "$work/root/tmp"
install -m 755 "$program" "$work/root/bin/svbox"
names=$(names_of "$program")
for name in $names; do ln -s svbox "$work/root/bin/$name"; done
for dir in "$@"; do
    cp -a "$dir/." "$work/root/"
done
chmod 755 "$work/root"

blobs=$new/blobs/sha256
mkdir -p "$blobs"

# blob FILE: takes a file in under the name of its content; gives what others call it.
blob() {
    sum=$(sha256sum <"$1")
    printf '"digest":"sha256:%s","size":%d' "${sum%% *}" "$(wc -c <"$1")"
    mv "$1" "$blobs/${sum%% *}"
}

media=application/vnd.oci.image
pack "$work/root" . >"$work/layer"
whole_layer=$(sha256sum <"$work/layer")
gzip -9n "$work/layer"
layer=$(blob "$work/layer.gz")
cat >"$work/config" <<END
{"architecture":$machine,"os":"linux","config":{"Env":["PATH=/bin"],"Entrypoint":["/bin/pid1","--"],"WorkingDir":"/"},\
"rootfs":{"type":"layers","diff_ids":["sha256:${whole_layer%% *}"]}}
END
config=$(blob "$work/config")
cat >"$work/manifest" <<END
{"schemaVersion":2,"mediaType":"$media.manifest.v1+json","config":{"mediaType":"$media.config.v1+json",$config},\
"layers":[{"mediaType":"$media.layer.v1.tar+gzip",$layer}]}
END
manifest=$(blob "$work/manifest")
cat >"$new/index.json" <<END
{"schemaVersion":2,"mediaType":"$media.index.v1+json","manifests":[{"mediaType":"$media.manifest.v1+json",$manifest,\
"platform":{"architecture":$machine,"os":"linux"},"annotations":{"org.opencontainers.image.ref.name":"svbox"}}]}
END
echo '{"imageLayoutVersion":"1.0.0"}' >"$new/oci-layout"

[ ! -e "$made" ] || mv "$made" "$beside/old"
mv -T "$new" "$made"
