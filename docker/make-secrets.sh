#!/usr/bin/env bash
# Make docker/secrets/: every password and key that compose.yaml hands out. Once; what is there stays.
set -euo pipefail
cd "$(dirname "$0")"
umask 077
mkdir -p secrets

made() { # made NAME: a secret of 43 letters and digits, if there is none of that name
  [ -s "secrets/$1" ] || head -c 48 /dev/urandom | base64 | tr -d '+/=\n' | head -c 43 >"secrets/$1"
  cat "secrets/$1"
}

owner=$(made owner_password)
service=$(made service_password)
broker=$(made broker_password)
made token_key >/dev/null
made erlang_cookie >/dev/null

printf 'postgresql://gridsvc:%s@postgres:5432/gridsvc\n' "$owner" >secrets/owner_database_url
printf 'postgresql://gridsvc_service:%s@postgres:5432/gridsvc\n' "$service" >secrets/database_url
printf 'amqp://gridsvc:%s@rabbitmq:5672/\n' "$broker" >secrets/amqp_url
cat >secrets/rabbitmq.conf <<EOF
default_user = gridsvc
default_pass = $broker
mqtt.allow_anonymous = false
# The 50 MB that RabbitMQ keeps free by default fill within one log segment.
disk_free_limit.absolute = 2GB
# Quorum queues hold three to four times their write-ahead log in memory; its default is 512 MB.
raft.wal_max_size_bytes = 67108864
EOF
# Compose mounts these files as they are, so each must be readable by the user of the container that reads it.
if [ "$(id -u)" = 0 ]; then
  chmod 711 secrets
  chown 999 secrets/owner_password secrets/service_password secrets/rabbitmq.conf # postgres and rabbitmq in their images
  chown 10001 secrets/owner_database_url secrets/database_url secrets/amqp_url secrets/token_key
  chmod 400 secrets/*
else
  chmod 755 secrets
  chmod 644 secrets/*
  printf 'not run as root: %s is readable by every user of this machine\n' "$PWD/secrets" >&2
fi
