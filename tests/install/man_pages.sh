#!/usr/bin/env bash
# man_pages.sh DROVER MAN_FOLDER: each page is free of warnings, each command has a page, and a page names every option
# that the command's own help names (the common ones stand in drover.1).
set -euo pipefail
drover=$1 man=$2 bad=0
complain() { echo "man_pages: $*" >&2; bad=1; }

for page in "$man"/*.1; do
  warnings=$(groff -t -man -Tutf8 -ww -z "$page" 2>&1) || true
  [[ -z $warnings ]] || complain "$page: $warnings"
done

# "\-\-dry\-run" as "--dry-run".
plain() { sed 's/\\-/-/g; s/\\f.//g' "$@"; }
commands=$("$drover" --help | sed -n '/^[A-Z][a-z ]*[Cc]ommands:\|^Commands:\|^SUBCOMMANDS:/,$s/^ \{2,4\}\([a-z]\{2,\}\) .*/\1/p' | sort -u)
[[ $commands == *prefetch* ]] || complain "cannot read the commands out of drover --help"
for command in $commands; do
  [[ $command == help ]] && continue
  page=$man/drover-$command.1
  [[ -f $page ]] || { complain "no page for: drover $command"; continue; }
  while read -r option; do
    plain "$page" "$man/drover.1" | grep -qE -- "$option([^a-z-]|\$)" || complain "$page does not name $option"
  done < <("$drover" "$command" --help | grep -oE -- '--[a-z][a-z-]+' | sort -u)
done
exit "$bad"
