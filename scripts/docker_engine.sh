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
cache=${XDG_CACHE_HOME:-$HOME/.cache}/bgconsole
recipe=$(cat "$here/debian_images.sh" "$here/postgres-entrypoint" | sha256sum | cut -c1-12)
images=$cache/images-$recipe
work=
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

start_engine() {
  bridge_before=$(ip link show docker0 2>/dev/null || true)
  forward_before=$(cat /proc/sys/net/ipv4/ip_forward)
  mkdir "$work/root" "$work/exec"
  dockerd --data-root "$work/root" --exec-root "$work/exec" --pidfile "$work/docker.pid" \
    -H "unix://$work/docker.sock" --iptables=false --ip6tables=false --ip-masq=false \
    >"$work/dockerd.log" 2>&1 &
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
    [ -n "$bridge_before" ] || ip link del docker0 2>/dev/null || true
    echo "$forward_before" >/proc/sys/net/ipv4/ip_forward || true
  fi
  if [ -n "$work" ]; then
    umount "$work" 2>/dev/null || umount --lazy "$work" 2>/dev/null || true
    rm -rf "$work"
  fi
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
  work=$(mktemp -d /var/tmp/bgconsole-docker.XXXXXX)
  use_memory
  prepare
fi

"$@"
