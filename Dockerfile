# facepool in a container: `docker build -t facepool .`, for NVIDIA's cards `docker build -t facepool:cuda --build-arg VARIANT=cuda .`
# `sh server/node.sh test/container/bare-root.ts` runs these very steps in a bare Debian where no Docker is at hand.
ARG VARIANT=cpu

FROM node:24.21.0-bookworm-slim AS packages-cpu
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Node is in the image; ONNX Runtime's libraries for other systems are 220 MB that nobody loads.
RUN npm ci --omit=dev \
  && rm -rf node_modules/node-linux-* node_modules/onnxruntime-node/bin/napi-v6/darwin node_modules/onnxruntime-node/bin/napi-v6/win32
# The media worker of live pictures, by mediasoup's own install: fetched from GitHub, or built where none is offered for this machine.
RUN cd node_modules/mediasoup \
  && { node npm-scripts.mjs postinstall \
    || { apt-get update && apt-get install -y --no-install-recommends g++ make python3-pip && node npm-scripts.mjs postinstall; } \
    || { rm -rf worker/out && echo 'No media worker could be fetched or built: this image shows cameras as MJPEG, not by WebRTC.' >&2; }; }

FROM packages-cpu AS packages-cuda
RUN ONNXRUNTIME_NODE_INSTALL=true node node_modules/onnxruntime-node/script/install.js

FROM packages-${VARIANT} AS packages

FROM node:24.21.0-bookworm-slim AS base-cpu

FROM nvidia/cuda:12.9.1-cudnn-runtime-ubuntu24.04 AS base-cuda
COPY --from=node:24.21.0-bookworm-slim /usr/local/bin/node /usr/local/bin/node

FROM base-${VARIANT} AS runtime
RUN apt-get update \
  && apt-get install -y --no-install-recommends ffmpeg \
  && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production DATA_DIR=/data
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY package.json package-lock.json LICENSE ./
COPY kernels kernels
COPY models models
COPY workers workers
COPY server server
RUN install -d -o 1000 -g 1000 -m 0700 /data
# `node` of the image. The data is its own, the program is not.
USER 1000:1000
VOLUME /data
# HTTP, and where browsers get live pictures from (RTC_MIN_PORT to RTC_MAX_PORT).
EXPOSE 8000 40000-40099/udp 40000-40099/tcp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 CMD ["node", "server/health-check.ts"]
CMD ["sh", "server/node.sh", "server/main.ts"]
