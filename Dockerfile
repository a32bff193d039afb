FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY src src
RUN npm run build && npm run sbom

# By the lock file alone, so that another version of the program has the same layer of packages.
FROM node:24-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# What its user can read does not depend on the umask of who builds it.
RUN npm ci --omit=dev --ignore-scripts && chmod -R a+rX,go-w .

FROM node:24-slim
LABEL org.opencontainers.image.title="prometheus-kinesis-adapter" \
      org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
ENV NODE_ENV=production \
    # No local archive here: without STREAM_NAME the start is refused, rather than archiving into the container's own layer.
    ARCHIVE_DIR=none
COPY --from=packages /app/node_modules node_modules
COPY --from=packages /app/package.json ./
COPY --from=build /app/dist dist
# By number, so that Kubernetes can tell that it is not root (runAsNonRoot).
USER 1000:1000
EXPOSE 9501
# It listens where LISTEN_ADDR says. --listen-addr would be unknown to it.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s CMD ["node", "dist/healthcheck.js"]
# Node itself is the first process and gets the signals: SIGTERM delivers what is in flight.
ENTRYPOINT ["node", "dist/cli.js"]
