# The server is shipped as sources: Node runs them as they are, and a custom server is not traced by Next's standalone output.
FROM node:24-bookworm-slim AS build
WORKDIR /srv
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npx prisma generate && NODE_ENV=production npx next build && npm prune --omit=dev --no-audit --no-fund

FROM node:24-bookworm-slim
ENV NODE_ENV=production NEXT_TELEMETRY_DISABLED=1 HOST=0.0.0.0 VAR_DIR=/data
ENV MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=131072
WORKDIR /srv
COPY --from=build --chown=root:root /srv/package.json /srv/next.config.ts /srv/prisma.config.ts ./
COPY --from=build /srv/node_modules node_modules
COPY --from=build /srv/.next .next
COPY --from=build /srv/app app
COPY --from=build /srv/modules modules
COPY --from=build /srv/prisma prisma
COPY --from=build /srv/public public
COPY --from=build /srv/server server
RUN mkdir -m 0700 /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 3000
HEALTHCHECK --interval=15s --timeout=3s CMD ["node", "-e", "fetch('http://127.0.0.1:3000/api/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--min-semi-space-size=16", "--max-semi-space-size=16", "--no-allocation-site-pretenuring", "server/main.ts"]
