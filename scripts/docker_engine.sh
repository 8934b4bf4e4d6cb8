#!/usr/bin/env bash
# Runs a command beside a real Docker engine that has the images of tests/e2e/docker:
#
#   scripts/docker_engine.sh make test
#
# An engine that answers already is used as it is. Else one is installed and started, as root on
# Debian only, and stopped in the end. Where neither can be, the reason is printed and the command
# runs without. The images' file systems are kept in the user's cache for a month.
set -euo pipefail
[ $# -gt 0 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
folders=/var/tmp/bgconsole-docker
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bgconsole
recipe=$(cat "$here/debian_images.sh" "$here/postgres-entrypoint" | sha256sum | cut -c1-12)
images=$cache/images-$recipe
folder=
engine=

say() { echo "docker engine: $*" >&2; }

answers() {
  for _ in $(seq "$2"); do
    curl -sf --max-time 2 --unix-socket "$1" http://docker/_ping >/dev/null 2>&1 && return
    sleep 0.1
  done
  return 1
}

without() {
  say "none: $*; tests/e2e/docker is skipped"
}

install_packages() {
  local missing=()
  command -v dockerd >/dev/null || missing+=(docker.io)
  command -v mmdebstrap >/dev/null || [ -f "$images/postgres.tar" ] || missing+=(mmdebstrap)
  command -v curl >/dev/null || missing+=(curl)
  command -v ip >/dev/null || missing+=(iproute2)
  [ ${#missing[@]} -eq 0 ] && return
  say "installing ${missing[*]}"
  local apt=(timeout 180 apt-get -qq -o DPkg::Lock::Timeout=60)
  "${apt[@]}" update >/dev/null && DEBIAN_FRONTEND=noninteractive \
    "${apt[@]}" install --no-install-recommends "${missing[@]}" >/dev/null 2>&1
}

make_images() {
  if [ -n "$(find "$images/postgres.tar" -mtime -30 2>/dev/null)" ]; then
    return
  fi
  say "making the images from Debian's packages, about a minute"
  rm -rf "$cache"/images-*
  mkdir -p "$images"
  TMPDIR=$work timeout 240 "$here/debian_images.sh" "$images" >"$work/images.log" 2>&1 \
    || { tail -5 "$work/images.log" >&2; rm -rf "$images"; return 1; }
}

# In memory where there is plenty: layers are many small files, and are thrown away in the end.
use_memory() {
  local available
  available=$(awk '/^MemAvailable:/ {print int($2 / 1024)}' /proc/meminfo)
  [ "$available" -ge 6000 ] && mount -t tmpfs -o size=3g,mode=700 tmpfs "$work" 2>/dev/null || true
}

# Of its own, on a network where nothing here has an address: on a bridge that is shared two engines
# give their containers the same addresses, and each answers for the other's.
make_bridge() {
  local third bridge
  for third in $(seq 0 255); do
    bridge=bgconsole$third
    ip -o -4 addr show | grep -qF " 10.213.$third." && continue
    ip link add name "$bridge" type bridge 2>/dev/null || continue
    echo "$bridge" >"$folder/bridge"
    ip addr add "10.213.$third.1/24" dev "$bridge" && ip link set "$bridge" up && return
    return 1
  done
  return 1
}

start_engine() {
  forward_before=$(cat /proc/sys/net/ipv4/ip_forward)
  make_bridge || { say "no bridge could be made"; return 1; }
  mkdir "$work/root" "$work/exec"
  dockerd --data-root "$work/root" --exec-root "$work/exec" --pidfile "$work/docker.pid" \
    -H "unix://$work/docker.sock" --bridge "$(cat "$folder/bridge")" \
    --iptables=false --ip6tables=false --ip-masq=false >"$work/dockerd.log" 2>&1 9>&- &
  engine=$!
  answers "$work/docker.sock" 200 || { tail -5 "$work/dockerd.log" >&2; return 1; }
  export DOCKER_HOST=unix://$work/docker.sock DOCKER_CONFIG=$work/config
  # By its path: another client may come before it, which behaves in another way.
  local docker=/usr/bin/docker
  timeout 60 $docker import -c 'ENV LANG=C.UTF-8' -c 'CMD ["irb"]' \
    "$images/ruby-rails.tar" bgconsole/ruby-rails:trixie >/dev/null &&
    timeout 60 $docker import -c 'USER postgres' -c 'ENTRYPOINT ["postgres-entrypoint"]' \
    -c 'CMD ["postgres"]' "$images/postgres.tar" bgconsole/postgres:trixie >/dev/null
}

stop() {
  if [ -n "$engine" ]; then
    kill "$engine" 2>/dev/null || true
    for _ in $(seq 150); do kill -0 "$engine" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$engine" 2>/dev/null || true
    wait "$engine" 2>/dev/null || true
    echo "$forward_before" >/proc/sys/net/ipv4/ip_forward || true
  fi
  clear_away "$folder" || true
}

# What an engine had: its processes, what was mounted (the last one first), its bridge, its files.
clear_away() {
  local left=$1 shim point
  for shim in $(pgrep -f -- "-address $left/"); do pkill -KILL -P "$shim"; done
  pkill -KILL -f -- "$left/"
  for point in $(awk -v left="$left/" 'index($2, left) == 1 {print $2}' /proc/mounts | tac); do
    umount "$point" 2>/dev/null || umount --lazy "$point"
  done
  [ ! -e "$left/bridge" ] || ip link del "$(cat "$left/bridge")" 2>/dev/null
  rm -rf "$left"
}

# A run that was killed could not stop its engine; one that lives holds its lock.
sweep() {
  local left
  for left in "$folders".*; do
    [ -e "$left/lock" ] && flock --nonblock "$left/lock" true || continue
    say "clearing away what a run left that was killed, $left"
    clear_away "$left" || true
  done
}

prepare() {
  install_packages || { without "its packages could not be installed"; return; }
  make_images || { without "its images could not be made"; return; }
  start_engine || { unset DOCKER_HOST; without "it did not start"; return; }
  say "ready after $SECONDS s at $DOCKER_HOST"
}

if [ -n "${DOCKER_HOST:-}" ]; then
  say "the one of DOCKER_HOST, $DOCKER_HOST"
elif [ -S /var/run/docker.sock ]; then
  export DOCKER_HOST=unix:///var/run/docker.sock
  say "the one of this machine, $DOCKER_HOST"
elif [ "$(id -u)" != 0 ]; then
  without "DOCKER_HOST is not set, and to start one takes root"
elif [ ! -f /etc/debian_version ] || ! command -v apt-get >/dev/null; then
  without "DOCKER_HOST is not set, and only on Debian one can be installed"
elif [ -d /run/systemd/system ]; then
  without "DOCKER_HOST is not set, and here systemd would start one for good"
else
  trap stop EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  sweep
  folder=$(mktemp -d "$folders.XXXXXX")
  exec 9>"$folder/lock"
  flock 9
  work=$folder/work
  mkdir "$work"
  use_memory
  prepare
fi

"$@" 9>&-
