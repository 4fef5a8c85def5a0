#!/usr/bin/env bash
# man_pages.sh DROVER MAN_FOLDER: the pages and the binary agree. Each page is free of warnings, each command has a page,
# a page names every option of its command's help (the common ones stand in drover.1), and none that no help knows.
set -euo pipefail
drover=$1 man=$2 bad=0
complain() { echo "man_pages: $*" >&2; bad=1; }
options_of() { grep -oE -- '--[a-z][a-z-]+' | sort -u; }
# Groff's "\-\-dry\-run" as "--dry-run".
plain() { sed 's/\\f.//g; s/\\-/-/g' "$@"; }
# The words of "  word   what it does" under a heading "... commands:".
commands_of() { "$drover" "$@" --help | sed -n '/commands:$/,/^Example/s/^ \{2\}\([a-z][a-z0-9]\{1,\}\)  .*/\1/p'; }

for page in "$man"/*.1; do
  warnings=$(groff -t -man -Tutf8 -ww -z "$page" 2>&1) || true
  [[ -z $warnings ]] || complain "$page: $warnings"
done

commands=$(commands_of)
[[ $commands == *prefetch* ]] || complain "cannot read the commands out of drover --help"
all_help=$("$drover" --help)
for command in $commands; do
  page=$man/drover-$command.1
  [[ -f $page ]] || { complain "no page for: drover $command"; continue; }
  help=$("$drover" "$command" --help)
  if [[ $command == store || $command == gc || $command == bench ]]; then
    for word in $(commands_of "$command"); do help+=$'\n'$("$drover" "$command" "$word" --help); done
  fi
  all_help+=$'\n'$help
  named=$(plain "$page" "$man/drover.1" | options_of)
  for option in $(options_of <<<"$help"); do
    grep -qxF -- "$option" <<<"$named" || complain "$page does not name $option"
  done
done
for page in "$man"/*.1; do
  for option in $(plain "$page" | options_of); do
    grep -qE -- "$option([^a-z-]|\$)" <<<"$all_help" || complain "$page names $option, which drover does not know"
  done
done
exit "$bad"
