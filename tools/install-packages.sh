#!/usr/bin/env bash
# Installs the Debian packages of packages.txt that are missing; does nothing, not even apt-get update, when none is.
#
#   tools/install-packages.sh GROUP...        groups: build test demo bench
#   tools/install-packages.sh --list GROUP... prints what is missing and installs nothing
#
# What is on the machine stays as it is: no package is removed, an engine that is there (docker-ce, moby, anything that
# gives dockerd) is never replaced by docker.io, and a service that comes with a package installed here is neither
# started nor enabled. Needs root or sudo; without them it says what to install.
set -euo pipefail
cd "$(dirname "$0")/.."
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

# Packages that bring services which nobody asked for here.
service_packages=(docker.io docker-registry containerd openssh-server)
# Packages that docker.io or its containerd cannot stand beside.
foreign_engines=(docker-ce docker-ce-cli docker-ce-rootless-extras containerd.io moby-engine moby-cli moby-containerd moby-runc podman-docker)
lock_wait_seconds=600

die() { echo "install-packages: $*" >&2; exit 1; }

is_installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# The rows of the groups asked for, without repeats.
wanted() {
  awk -v groups=" $* " '!/^#/ && NF == 2 && index(groups, " " $1 " ") && !seen[$2]++ { print $2 }' packages.txt
}

foreign_engine() {
  local name
  for name in "${foreign_engines[@]}"; do
    is_installed "$name" && { echo "$name"; return 0; }
  done
  return 1
}

missing_of() {
  local row name engine
  for row in "$@"; do
    for name in ${row//|/ }; do
      is_installed "$name" && continue 2
    done
    if [[ $row == docker.io ]]; then
      command -v dockerd >/dev/null || [[ -x /usr/sbin/dockerd ]] && continue
      if engine=$(foreign_engine); then
        echo "install-packages: docker.io left out, it cannot stand beside $engine; tests that need an engine are skipped" >&2
        continue
      fi
    fi
    echo "${row%%|*}"
  done
}

# apt's lists and dpkg have locks of their own; another installation may be running.
apt_get() {
  local deadline=$((SECONDS + lock_wait_seconds)) log status
  log=$(mktemp)
  while :; do
    status=0
    "${as_root[@]}" apt-get -o "DPkg::Lock::Timeout=$lock_wait_seconds" -o Dpkg::Use-Pty=0 -q "$@" </dev/null >"$log" 2>&1 || status=$?
    if ((status == 0)); then rm -f "$log"; return 0; fi
    if grep -q 'Could not get lock\|Unable to lock' "$log" && ((SECONDS < deadline)); then sleep 2; continue; fi
    cat "$log" >&2
    rm -f "$log"
    return "$status"
  done
}

# With a policy-rc.d that says no, maintainer scripts start nothing. One that is already there is somebody's wish: it stays.
policy=/usr/sbin/policy-rc.d
guard_services() {
  guarded=
  "${as_root[@]}" test -e "$policy" && return 0
  guarded=yes
  trap unguard_services EXIT
  printf '#!/bin/sh\n# drover install-packages: removed when it ends\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
}
unguard_services() {
  if [[ $guarded ]] && grep -q 'drover install-packages' "$policy" 2>/dev/null; then "${as_root[@]}" rm -f "$policy"; fi
  guarded=
}

# Enabled units would start at the next boot. Only those of packages that were not here before.
disable_services() {
  local package file unit
  for package in "$@"; do
    is_installed "$package" || continue
    while read -r file; do
      unit=${file##*/}
      # Without systemctl nothing starts now, but systemd may be installed later.
      if command -v systemctl >/dev/null; then
        "${as_root[@]}" systemctl disable --quiet "$unit" >/dev/null 2>&1 || true
      else
        "${as_root[@]}" env DPKG_MAINTSCRIPT_PACKAGE="$package" deb-systemd-helper disable "$unit" >/dev/null 2>&1 || true
      fi
    done < <(dpkg -L "$package" | grep -E '^(/usr)?/lib/systemd/system/[^/]+\.(service|socket)$' || true)
    while read -r file; do
      if command -v update-rc.d >/dev/null; then "${as_root[@]}" update-rc.d "${file##*/}" disable >/dev/null 2>&1 || true; fi
    done < <(dpkg -L "$package" | grep -E '^/etc/init\.d/.' || true)
  done
}

main() {
  local list_only="" rows=() missing=() new_services=() name
  [[ ${1:-} == --list ]] && { list_only=yes; shift; }
  (($# > 0)) || { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
  command -v dpkg-query >/dev/null || die "not a Debian system: install what packages.txt names under: $*"
  mapfile -t rows < <(wanted "$@")
  ((${#rows[@]} > 0)) || die "no package in packages.txt for: $*"
  mapfile -t missing < <(missing_of "${rows[@]}")
  ((${#missing[@]} > 0)) || return 0
  if [[ $list_only ]]; then printf '%s\n' "${missing[@]}"; return 0; fi

  as_root=()
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then die "not root and no sudo; as root: apt-get install ${missing[*]}"; fi
    as_root=(sudo)
    [[ -t 0 ]] || as_root=(sudo -n)
    "${as_root[@]}" true || die "sudo does not let us; as root: apt-get install ${missing[*]}"
    as_root+=(env DEBIAN_FRONTEND=noninteractive LC_ALL=C)
  fi
  echo "install-packages: installing ${missing[*]}" >&2
  for name in "${service_packages[@]}"; do is_installed "$name" || new_services+=("$name"); done
  apt_get update || echo "install-packages: apt-get update failed in part; trying with the lists that are there" >&2
  guard_services
  apt_get install --yes --no-install-recommends --no-remove "${missing[@]}" || die "cannot install: ${missing[*]}"
  unguard_services
  disable_services "${new_services[@]}"
}
main "$@"
