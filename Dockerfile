# The service as production runs it: unprivileged, on a root file system that nobody writes to.
# docs/deployment.md says what it needs around it, `deno task image` builds it and tries it.

# Whatever serves Deno 2.9.6 at /usr/bin/deno or on the PATH, of the platform the image is for.
ARG DENO_IMAGE=docker.io/denoland/deno:2.9.6

FROM ${DENO_IMAGE} AS build
# Where npm packages come from; empty: npm's own registry.
ARG NPM_CONFIG_REGISTRY
ENV DENO_DIR=/deno-dir \
    DENO_UNSTABLE_NPM_LAZY_CACHING=1
WORKDIR /app
COPY . .
# Fetches and compiles what these reach, and nothing that only tests and development do. What the registry gives has
# to be what deno.lock says.
RUN deno cache --frozen main.ts tasks/migrate.ts tasks/erasure.ts tasks/receipt.ts tasks/healthcheck.ts

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
# -P: the permissions that deno.json grants by name, no others; docs/deployment.md says what each is for.
ENTRYPOINT ["deno", "run", "--quiet", "--cached-only", "--frozen", "-P", "--unstable-no-legacy-abort", "main.ts"]
