#!/usr/bin/env bash
# Install the servers that `gridsvc up` starts: PostgreSQL with PostGIS, and RabbitMQ; npm, that brings the packages
# of the web pages; and, where the distribution keeps it apart from Python, the module that makes virtual environments.
#
# Adds what is missing and nothing else: no package that is on the machine is upgraded,
# no service is started, stopped or configured. Exit codes: 0 all there, 1 cannot (says what to run), 2 usage.
#
#   gridsvc/local/install-packages.sh           install what is missing
#   gridsvc/local/install-packages.sh --check   say what is missing, install nothing
#   gridsvc/local/install-packages.sh --browser the same and a Chromium, that only the browser tests need
#
# PYTHON names the interpreter that the project will use (python3 by default).
set -euo pipefail

say() { printf 'install: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

check_only=no browser_too=no
case "${1:-}" in
  "") ;;
  --check) check_only=yes ;;
  --browser) browser_too=yes ;;
  *) say "unknown word '$1'; want nothing, --check or --browser"; exit 2 ;;
esac

postgres_with_postgis() { # the directory of the newest PostgreSQL here that has both initdb and PostGIS
  local candidate share
  for candidate in $(ls -d /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin 2>/dev/null | sort -rV); do
    [ -x "$candidate/initdb" ] || continue
    for share in "/usr/share/postgresql/$(basename "$(dirname "$candidate")")" "$("$candidate/pg_config" --sharedir 2>/dev/null || true)"; do
      if [ -n "$share" ] && [ -f "$share/extension/postgis.control" ]; then printf '%s\n' "$candidate"; return 0; fi
    done
  done
  return 1
}

rabbitmq_server() {
  local candidate
  for candidate in /usr/lib/rabbitmq/bin /opt/homebrew/opt/rabbitmq/sbin /usr/local/opt/rabbitmq/sbin; do
    if [ -x "$candidate/rabbitmq-server" ]; then printf '%s\n' "$candidate"; return 0; fi
  done
  return 1
}

chromium() { # what the browser tests drive; tests/browser/conftest.py looks in the same places
  local candidate
  for candidate in chromium-headless-shell chromium google-chrome; do
    if command -v "$candidate" >/dev/null; then return 0; fi
  done
  [ -x "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" ] || [ -x "/Applications/Chromium.app/Contents/MacOS/Chromium" ]
}

python="${PYTHON:-python3}"
can_make_environments() { "$python" -c 'import ensurepip, venv' 2>/dev/null; }

missing=()
command -v "$python" >/dev/null || fail "no Python here ('$python'); want 3.11 or newer"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$python is $("$python" -V); want Python 3.11 or newer"
can_make_environments || missing+=(venv)
postgres_with_postgis >/dev/null || missing+=(postgis)
rabbitmq_server >/dev/null || missing+=(rabbitmq)
command -v npm >/dev/null || missing+=(npm) # Node.js of its own vendor brings its own, and Debian's would not fit it
if [ "$browser_too" = yes ]; then chromium || missing+=(chromium); fi
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi
if [ "$check_only" = yes ]; then fail "missing: ${missing[*]}"; fi

if [ "$(uname -s)" = Darwin ]; then
  command -v brew >/dev/null || fail "missing: ${missing[*]}. Install Homebrew, then: brew install postgresql@17 postgis rabbitmq"
  say "installing ${missing[*]} by Homebrew"
  # Homebrew's postgis brings the PostgreSQL that it is built for; its Python can make environments.
  for name in "${missing[@]}"; do
    case "$name" in
      npm) brew install node ;;
      chromium) brew install --cask chromium ;;
      *) brew install "$name" ;;
    esac
  done
  exit 0
fi

command -v apt-get >/dev/null || fail "missing: ${missing[*]}. This script knows apt and Homebrew. Install PostgreSQL 15 or newer with PostGIS 3, and RabbitMQ 3.10 or newer, or set GRIDSVC_DATABASE_URL and GRIDSVC_AMQP_URL"

as_root=()
if [ "$(id -u)" != 0 ]; then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then as_root=(sudo -n)
  else fail "missing: ${missing[*]}, and this user may not install. Run once: sudo $(cd "$(dirname "$0")" && pwd)/$(basename "$0")"; fi
fi
root() { "${as_root[@]}" "$@"; }

say "missing: ${missing[*]}; reading the package lists"
root apt-get update -qq

wanted=()
for name in "${missing[@]}"; do
  case "$name" in
    venv) wanted+=("$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')") ;;
    rabbitmq) wanted+=(rabbitmq-server) ;;
    npm) wanted+=(nodejs npm) ;;
    chromium)
      # Debian has the small one; elsewhere the whole browser does as well.
      if apt-cache show chromium-headless-shell >/dev/null 2>&1; then wanted+=(chromium-headless-shell); else wanted+=(chromium); fi ;;
    postgis)
      # PostGIS for the PostgreSQL that is here already, else for the distribution's own.
      here=$({ ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null || true; } | sort -rV | sed -n 's#.*/postgresql/\([0-9]*\)/.*#\1#p' | head -n 1)
      if [ -z "$here" ]; then
        here=$(apt-cache depends postgresql | sed -n 's/.*Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | head -n 1)
        [ -n "$here" ] || fail "apt knows no package postgresql"
      fi
      wanted+=("postgresql-$here" "postgresql-$here-postgis-3") ;;
  esac
done

# --no-upgrade protects only the packages named; the dry run shows what would happen to the rest.
plan=$(root apt-get install --no-upgrade --no-install-recommends -s "${wanted[@]}")
if changed=$(printf '%s\n' "$plan" | grep -E '^(Inst [^ ]+ \[|Remv )' | grep -E 'postgresql|erlang|rabbitmq|epmd'); then
  fail "installing ${wanted[*]} would change a server that is already here; nothing was done. It would: ${changed//$'\n'/; }"
fi

# Debian starts a service as soon as it is installed. policy-rc.d 101 says no; ours goes away with this script.
policy=/usr/sbin/policy-rc.d
clusters=/etc/postgresql-common/createcluster.conf
made_policy=no made_clusters=no
tidy() {
  [ "$made_policy" = no ] || root rm -f "$policy"
  # The package puts its own file aside when it finds ours; it takes its place again.
  if [ "$made_clusters" = yes ]; then
    root rm -f "$clusters"
    if [ -e "$clusters.ucf-dist" ]; then root mv "$clusters.ucf-dist" "$clusters"; fi
  fi
}
trap tidy EXIT
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | root tee "$policy" >/dev/null
  root chmod 755 "$policy"
  made_policy=yes
fi
if [ ! -e /usr/lib/postgresql ] && [ ! -e "$clusters" ]; then
  # A new PostgreSQL would make and start a cluster "main" of the system; ours lives elsewhere.
  root mkdir -p "$(dirname "$clusters")"
  printf 'create_main_cluster = false # gridsvc install\n' | root tee -a "$clusters" >/dev/null
  made_clusters=yes
fi

chatter=$(mktemp)
say "installing ${wanted[*]} (details in $chatter if it fails)"
root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-upgrade --no-install-recommends \
  -o Dpkg::Options::=--force-confold "${wanted[@]}" >"$chatter" 2>&1 || { tail -n 20 "$chatter" >&2; fail "apt-get could not install ${wanted[*]}; all of it is in $chatter"; }
rm -f "$chatter"

can_make_environments || fail "$python still cannot make virtual environments"
postgres_with_postgis >/dev/null || fail "PostGIS is still not found beside a PostgreSQL under /usr/lib/postgresql"
rabbitmq_server >/dev/null || fail "/usr/lib/rabbitmq/bin/rabbitmq-server is still not there"
command -v npm >/dev/null || fail "npm is still not there"
if [ "$browser_too" = yes ]; then chromium || fail "no chromium is found still; install Chromium or Google Chrome"; fi
say "done"
