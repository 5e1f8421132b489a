#!/bin/sh
# Creates the logins of customer-service and its database, on the server's first start, after db/roles.sql.
set -eu
psql --username postgres --set ON_ERROR_STOP=1 \
  --set service="$SERVICE_PASSWORD" --set migration="$MIGRATION_PASSWORD" <<'SQL'
create role customer_service login noinherit password :'service';
grant customer_api, customer_reader, customer_worker to customer_service;
create role customer_migration login noinherit password :'migration';
grant customer_owner to customer_migration;
create database customer owner customer_owner;
SQL
