#!/bin/sh
# Run once by the database's image on an empty volume: the login that the service works with.
# It owns nothing. The role is made here, before the first migration, because only its owner may grant it later.
set -eu
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -v password="$(cat /run/secrets/service_password)" <<'SQL'
CREATE EXTENSION IF NOT EXISTS postgis;
CREATE ROLE gridsvc_app NOLOGIN;
CREATE ROLE gridsvc_service LOGIN PASSWORD :'password';
GRANT gridsvc_app TO gridsvc_service;
SQL
