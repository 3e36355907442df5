# The final image holds the node binary, the libraries it links to, a CA bundle and the app: no shell, no npm.
# Named to the last number: what is built is what was tested (docs/node-versions.md).
ARG NODE_IMAGE=node:24.22.3-bookworm-slim

# The compiler of the native engine is in this stage alone.
FROM ${NODE_IMAGE} AS build
WORKDIR /app
RUN command -v cc >/dev/null || { apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev; }
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/build-native scripts/bundle.mjs ./scripts/
COPY native ./native
COPY src ./src
RUN npm run build && sh scripts/build-native --required && find dist \( -name '*.d.ts' -o -name '*.map' \) -delete

FROM ${NODE_IMAGE} AS production
WORKDIR /rootfs/app
COPY package.json package-lock.json ./
COPY scripts/image-manifest.mjs /usr/local/lib/
# The optional peers are dependencies of the image. What only people and compilers read goes; licences stay.
RUN node /usr/local/lib/image-manifest.mjs > /tmp/package.json && mv /tmp/package.json package.json \
 && npm ci --omit=dev --ignore-scripts --no-audit --no-fund \
 && find node_modules -type f ! -iname 'licen[sc]e*' \
      \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -iname '*.md' -o -iname '*.markdown' \) -delete \
 && rm -rf package-lock.json node_modules/.bin node_modules/.package-lock.json \
 && find node_modules -type d -empty -delete
COPY LICENSE ./
# The CA bundle is Mozilla's, as Node ships it: Node itself never reads the file, but libraries and --use-openssl-ca do.
RUN set -eu; cd /rootfs; node=$(command -v node); \
    mkdir -p usr/local/bin etc/ssl/certs; \
    cp -L "$node" usr/local/bin/node; \
    ldd "$node" | grep -o '/[^ ]*' | xargs -I{} cp -L --parents {} .; \
    node -p "require('node:tls').rootCertificates.join('\n')" > etc/ssl/certs/ca-certificates.crt; \
    echo 'attache:x:65532:65532:attache:/:/sbin/nologin' > etc/passwd; \
    echo 'attache:x:65532:' > etc/group; \
    echo 'hosts: files dns' > etc/nsswitch.conf; \
    mkdir -m 1777 tmp
COPY --from=build /app/dist ./dist
# The program by its name: there is no /usr/bin/env here, and no shell that would look for it.
# The same sources give the same layer, to the byte: one time for all files, one mode for what the host's umask decides.
ARG SOURCE_DATE_EPOCH=0
RUN set -eu; sed -i '1s|^#!.*|#!/usr/local/bin/node|' dist/main.js; chmod a+x dist/main.js; ln -s /app/dist/main.js /rootfs/usr/local/bin/attache; \
    chmod -R u=rwX,go=rX /rootfs; chmod 1777 /rootfs/tmp; \
    find /rootfs -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +

FROM scratch
ARG VERSION=0.1.0
ARG REVISION=
ARG SOURCE=
LABEL org.opencontainers.image.title="attache" \
      org.opencontainers.image.description="Ambassador sidecar: carries each local TCP connection to the right backend, wherever it lives today" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
COPY --from=production /rootfs /
ENV NODE_ENV=production PATH=/usr/local/bin
WORKDIR /app
USER 65532:65532
EXPOSE 29091
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["/usr/local/bin/attache", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/attache"]
