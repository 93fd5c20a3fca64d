#!/bin/sh
# Prints the size of the program by section and by floor, and adds a line to the record if it has changed.
set -eu
. scripts/lib.sh
program=$out/bin/svbox
record=scripts/size.record

printf 'bytes by section of %s\n' "$program"
size -A "$program" | awk '$2 > 0 && $1 ~ /^\./ { printf "  %7d %s\n", $2, $1 }'
total=$(wc -c <"$program")
printf '  %7d the file\n' "$total"

# The same program with its symbols, which say what the code is for.
named=$out/named
CARGO_TARGET_DIR=$named CARGO_PROFILE_RELEASE_STRIP=none SVBOX_READY=1 scripts/build.sh
printf 'bytes of code by floor\n'
nm -S --size-sort -C "$named/bin/svbox" | awk '
    function hex(digits,   value, i) {
        value = 0
        for (i = 1; i <= length(digits); i++) value = value * 16 + index("0123456789abcdef", substr(digits, i, 1)) - 1
        return value
    }
    $3 ~ /[tTwW]/ {
        name = ""
        for (i = 4; i <= NF; i++) name = name $i
        if (match(name, /svbox::applets::[a-z]+/)) floor = substr(name, RSTART + 7, RLENGTH - 7)
        else if (match(name, /svbox::[a-z]+/)) floor = substr(name, RSTART + 7, RLENGTH - 7)
        else if (match(name, /(argh|rustix|smallvec|memchr)::/)) floor = substr(name, RSTART, RLENGTH - 2)
        else if (name ~ /(core|alloc|std)::/) floor = "Rust library"
        else floor = "C library"
        sum[floor] += hex($2)
    }
    END { for (floor in sum) printf "  %7d %s\n", sum[floor], floor }' | sort -rn

what=$("$program" --list | tr '\n' ' ')
line="$total  $target  $what"
[ "$(tail -n 1 "$record" 2>/dev/null)" = "$line" ] || printf '%s\n' "$line" >>"$record"
