#!/bin/sh
# Shows svbox at work in a scratch directory, without root: demo.sh DIRECTORY-WITH-PROGRAMS
set -eu
bin=$(cd "${1:-target/bin}" && pwd)
dir=$(mktemp -d)
PATH=$bin:$PATH
SVDIR=$dir/scan
export PATH SVDIR
trap 'kill -HUP $scanner 2>/dev/null || :; wait 2>/dev/null || :; rm -rf "$dir"' EXIT
scanner=

title() { printf '\n\033[1m%s\033[0m\n' "$*"; }
now() { date +%s%N; }
took() { awk -v from="$1" -v to="$(now)" 'BEGIN { printf "  (%.1f ms)\n", (to - from) / 1e6 }'; }

# service NAME LINE...: a service directory whose run is these lines.
service() {
    name=$1
    shift
    mkdir -p "$dir/services/$name"
    printf '%s\n' '#!/bin/sh' "$@" >"$dir/services/$name/run"
    chmod +x "$dir/services/$name/run"
}

mkdir "$dir/scan"
service web 'while :; do echo "served at $(date +%T)"; sleep 1 >/dev/null; done'
service web/log 'exec svlogd -tt .'
service flaky 'sleep 1.5; exit 3'
service batch 'exec sleep 1000'
touch "$dir/services/batch/down"
for name in web flaky batch; do ln -s "$dir/services/$name" "$dir/scan/"; done

title 'Three services: web with a logger, flaky that crashes now and then, batch that is normally down'
start=$(now)
runsvdir -P "$dir/scan" &
scanner=$!
sv -w 5 start web >/dev/null
took "$start"
sv status web flaky batch

title 'Killing web: it comes back'
before=$(cat "$dir/scan/web/supervise/pid")
# A service that ran for a second is started again at once; a younger one a second after its end.
sleep 1.1
start=$(now)
kill -KILL "$before"
while [ "$(cat "$dir/scan/web/supervise/pid")" = "$before" ] || [ ! -s "$dir/scan/web/supervise/pid" ]; do :; done
took "$start"
sv status web

title 'Adding a service: ln -s'
service late 'exec sleep 1000'
start=$(now)
ln -s "$dir/services/late" "$dir/scan/"
sv -w 5 start late
took "$start"

title 'Starting batch, restarting web'
start=$(now)
sv -w 5 up batch
took "$start"
sleep 1
start=$(now)
sv -w 5 restart web
took "$start"

title 'What the logger of web has'
tail -n 3 "$dir/services/web/log/current"

title 'Stopping all'
start=$(now)
sv -w 10 shutdown web flaky batch late
took "$start"
