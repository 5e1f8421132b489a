#!/bin/sh
# Writes the service's secrets to Vault; config/vault_secrets.ts defines the paths. It may run again: existing keys are
# kept, because data in the database can be decrypted with them only.
set -eu
random() { head -c 32 /dev/urandom | base64; }
# An Ed25519 private key in PKCS#8 consists of these sixteen bytes and thirty-two random bytes.
ed25519() { { printf '\060\056\002\001\000\060\005\006\003\053\145\160\004\042\004\040'; head -c 32 /dev/urandom; } | base64; }

bao secrets list | grep -q '^ss3/kv/' || bao secrets enable -path=ss3/kv kv-v2
bao kv get -mount=ss3/kv customer-service >/dev/null 2>&1 || bao kv put -cas=0 -mount=ss3/kv customer-service \
  db.url=jdbc:postgresql://postgres:5432/customer db.username=customer_service "db.password=$SERVICE_PASSWORD" \
  "gdpr.export_key=$(random)" "gdpr.hash_key=$(random)" "gdpr.receipt_key=$(ed25519)" \
  gateway.secret=for-trying-on-one-machine-and-for-nothing-else
bao kv put -mount=ss3/kv shared/kafka bootstrap.servers=kafka:9092
bao kv put -mount=ss3/kv shared/otel otlp.endpoint=http://collector:4318
