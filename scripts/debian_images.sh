#!/usr/bin/env bash
# Makes two images' file systems from Debian's packages, where no registry of images can be reached:
# FOLDER/ruby-rails.tar with Ruby and Rails, FOLDER/postgres.tar with PostgreSQL besides. As root.
set -euo pipefail
folder=${1:?where the two files go}
here=$(cd "$(dirname "$0")" && pwd)
suite=trixie

# What no container of ours reads: a third of the size.
unread=('/usr/share/man/*' '/usr/share/locale/*' '/usr/share/i18n/*' '/usr/share/doc/*'
  '/usr/lib/*/libLLVM*' '/usr/lib/*/libz3*' '/usr/lib/postgresql/*/lib/bitcode/*'
  '/usr/lib/*/perl/*/CORE/*')
rails=ruby,bundler,ruby-rails,puma,ruby-pg,ruby-bootsnap,ruby-rails-propshaft,ca-certificates

export FOLDER=$folder HERE=$here
mmdebstrap --quiet --variant=apt --mode=root --format=null \
  "${unread[@]/#/--dpkgopt=path-exclude=}" --include="$rails" \
  --customize-hook='tar -C "$1" --one-file-system --exclude=./var/lib/apt/lists/* --exclude=./var/cache/apt/* -cf "$FOLDER/ruby-rails.tar.part" .' \
  --customize-hook='chroot "$1" env DEBIAN_FRONTEND=noninteractive apt-get -qq --no-install-recommends install postgresql >/dev/null' \
  --customize-hook='rm -rf "$1"/var/lib/postgresql/*' \
  --customize-hook='install -m 755 "$HERE/postgres-entrypoint" "$1/usr/local/bin/postgres-entrypoint"' \
  --customize-hook='chroot "$1" install -d -o postgres -g postgres /var/lib/postgresql /run/postgresql' \
  --customize-hook='tar -C "$1" --one-file-system --exclude=./var/lib/apt/lists/* --exclude=./var/cache/apt/* -cf "$FOLDER/postgres.tar.part" .' \
  "$suite"
mv "$folder/ruby-rails.tar.part" "$folder/ruby-rails.tar"
mv "$folder/postgres.tar.part" "$folder/postgres.tar"
