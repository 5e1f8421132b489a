# Production image of the service: unprivileged, with a root file system that may be read-only.
# docs/deployment.md describes its environment; `deno task image` builds and tests it.

# An image with Deno 2.9.6 at /usr/bin/deno or on the PATH, for the target platform.
ARG DENO_IMAGE=docker.io/denoland/deno:2.9.6

FROM ${DENO_IMAGE} AS build
# The npm registry; if empty, npm's default registry.
ARG NPM_CONFIG_REGISTRY
ENV DENO_DIR=/deno-dir \
    DENO_UNSTABLE_NPM_LAZY_CACHING=1
WORKDIR /app
COPY . .
# Downloads and compiles the imports of these files, without those of tests and development. deno.lock verifies the
# downloads.
RUN deno cache --frozen main.ts tasks/migrate.ts tasks/erasure.ts tasks/receipt.ts tasks/healthcheck.ts
# Stores the compiled code of the modules, which a start on a read-only file system cannot do. There, SQLite opens the
# caches only if the two files of their write-ahead logs exist.
RUN deno run --quiet --cached-only --frozen -A --unstable-no-legacy-abort --unstable-lazy-dynamic-imports tasks/warm_up.ts \
 && for cache in "$DENO_DIR"/*_cache_v*; do touch "$cache-wal" "$cache-shm"; done

FROM ${DENO_IMAGE}
ARG NPM_CONFIG_REGISTRY
ENV DENO_DIR=/deno-dir \
    DENO_ENV=production \
    DENO_NO_PROMPT=1 \
    DENO_NO_UPDATE_CHECK=1 \
    DENO_UNSTABLE_NPM_LAZY_CACHING=1 \
    NPM_CONFIG_REGISTRY=${NPM_CONFIG_REGISTRY}
WORKDIR /app
COPY --from=build /deno-dir /deno-dir
COPY --from=build /app /app
LABEL org.opencontainers.image.title="customer-service" \
      org.opencontainers.image.licenses="Apache-2.0"
USER 10001:10001
EXPOSE 4000 50051
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["deno", "run", "--quiet", "--cached-only", "--allow-net", "--allow-env=HTTP_PORT,BIND", "tasks/healthcheck.ts"]
# -P: only the permissions listed in deno.json; docs/deployment.md gives the purpose of each.
ENTRYPOINT ["deno", "run", "--quiet", "--cached-only", "--frozen", "-P", "--unstable-no-legacy-abort", "--unstable-lazy-dynamic-imports", "main.ts"]
