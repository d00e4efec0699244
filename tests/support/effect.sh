#!/bin/bash
# What a machine does, run by its agent as an action of its own: writes down that it began, and its effect.
#
# effect.sh LOG CLIENT BEFORE_MS AFTER_MS FAILS. One line per fact, appended in one write: what, when (the machine's
# true clock), which command, which attempt, whose. The line of the effect is on the disk before the program ends.
# Neither agent nor hub opens the file. The first FAILS attempts end with 75 before any effect. In bash, since a
# thousand starts a minute of Python would be most of what the machine does.
set -eu
export LC_ALL=C
log=$1 client=$2 before_ms=$3 after_ms=$4 fails=$5

note() {
    printf '%s %s %s %s %s\n' "$1" "$EPOCHREALTIME" "$FLOORHUB_COMMAND_ID" "$FLOORHUB_ATTEMPT" "$client" >>"$log"
}

wait_ms() {
    [ "$1" -eq 0 ] || sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"
}

note began
[ "$FLOORHUB_ATTEMPT" -gt "$fails" ] || exit 75
wait_ms "$before_ms"
note effect
sync --data "$log"
wait_ms "$after_ms"
note ended
