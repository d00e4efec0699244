#!/bin/sh
# Run by ippeveprinter for each job: "prints" the document by keeping it and writing one line to an effect log.
# Plain sh and coreutils, because the unprivileged user that runs it may not be able to reach any Python.
#
# Environment: FLOORHUB_PRINTER (folder), and from ippeveprinter IPP_JOB_NAME, IPP_COPIES, IPP_SIDES, CONTENT_TYPE,
#   IPP_JOB_ORIGINATING_USER_NAME. The last argument is the document.
# Control files in $FLOORHUB_PRINTER/control make the printer slow or broken, for tests and for trying things out:
#   stderr         lines for the printer, such as "STATE: +media-jam" or "ERROR: fuser melted"
#   seconds        how long it works before the effect
#   exit           with anything but 0 it fails now, without effect
#   seconds_after  how long it takes to say that it is done
# One that is there and cannot be read fails the job, with a message: it must not look as if it did nothing.
set -eu
export LC_ALL=C
for document in "$@"; do :; done
control=$FLOORHUB_PRINTER/control

read_control() { if [ -r "$control/$1" ]; then cat "$control/$1"; else printf '%s' "$2"; fi; }
# A JSON string's inside: no control characters, quotes and backslashes escaped; UTF-8 passes through.
escape() { printf '%s' "$1" | tr -d '\000-\037\177' | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g'; }

# Works for so many seconds, and ends when the printer does (we get another parent): one without power prints nothing.
work() {
    case $1 in *[1-9]*) ;; *) return 0 ;; esac
    ended=0
    # shellcheck disable=SC2016 # the inner shell's own words
    timeout --foreground "$1" sh -c \
        'while read -r _ _ _ parent _ <"/proc/$1/stat" && [ "$parent" = "$2" ]; do sleep 0.1; done' - $$ "$PPID" ||
        ended=$?
    [ "$ended" -eq 124 ] || exit 1
}

for name in stderr seconds exit seconds_after; do
    if [ -e "$control/$name" ] && [ ! -r "$control/$name" ]; then
        printf 'ERROR: the printer cannot read its file control/%s: chmod a+r it\n' "$name" >&2
        exit 1
    fi
done
read_control stderr '' >&2
work "$(read_control seconds 0)"
status=$(read_control exit 0)
[ "$status" -eq 0 ] || exit "$status"

case ${CONTENT_TYPE:-} in
    application/pdf) suffix=pdf ;;
    image/pwg-raster) suffix=pwg ;;
    image/urf) suffix=urf ;;
    text/plain*) suffix=txt ;;
    *) suffix=bin ;;
esac
effects=$FLOORHUB_PRINTER/effects.jsonl
touch "$effects"
number=$(($(wc -l <"$effects") + 1))
name=$(printf '%s' "${IPP_JOB_NAME:-untitled}" | tr -c 'A-Za-z0-9._-' '_' | cut -c 1-80)
digest=$(sha256sum <"$document" | cut -d ' ' -f 1)
copy=$FLOORHUB_PRINTER/out/$number-$name.$suffix
cp "$document" "$copy"
case ${IPP_COPIES:-1} in *[!0-9]* | '') copies=1 ;; *) copies=${IPP_COPIES:-1} ;; esac
printf '{"number": %d, "job_name": "%s", "copies": %d, "sides": "%s", "user": "%s", "content_type": "%s", "sha256": "%s", "file": "%s", "at": "%s"}\n' \
    "$number" "$(escape "${IPP_JOB_NAME:-untitled}")" "${copies:-1}" "$(escape "${IPP_SIDES:-one-sided}")" \
    "$(escape "${IPP_JOB_ORIGINATING_USER_NAME:-}")" "$(escape "${CONTENT_TYPE:-}")" "$digest" \
    "$(escape "${copy##*/}")" "$(date -u +%Y-%m-%dT%H:%M:%S.%6NZ)" >>"$effects"
sync "$copy" "$effects"
work "$(read_control seconds_after 0)"
