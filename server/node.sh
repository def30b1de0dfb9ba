#!/bin/sh
# Runs the Node 24 that package.json pins, in place of this shell: `sh server/node.sh <arguments of node>`. Not through
# node_modules/.bin, where npm 10 puts none of two packages that both bring a `node`.
# Pictures are decoded on libuv's own threads, four unless told otherwise: too few for many cores.
cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 4)
[ "$cores" -gt 4 ] && export UV_THREADPOOL_SIZE="${UV_THREADPOOL_SIZE:-$cores}"

# glibc gives threads heaps of their own, up to eight a core, and decoders leave each of them full of holes: measured, that grows by
# some 60 MB in 8,000 pictures, and not at all with two.
arenas=$((cores / 8))
export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-$((arenas > 2 ? arenas : 2))}"

# ONNX Runtime tells its maker of sessions and runs, and keeps a number for the machine in the home folder, unless this is set before it
# is loaded. server/main.ts sets it as well.
export ORT_DISABLE_TELEMETRY=1

# Heaps here are small and what passes through them is large: by V8's own rule each is marked anew after some 15 MB, every forty frames
# of a board, which took a fifth of all processor time. They may grow to two and a half times what lives in them instead. Room for what
# is new stays small, which costs no speed: V8 would give 32 MB and more to each thread step by step, and take them back in a pause.
for pinned in "$(dirname "$0")"/../node_modules/node-linux-*/bin/node; do
  [ -x "$pinned" ] && exec "$pinned" --heap-growing-percent=150 --max-semi-space-size=4 "$@"
done
if [ "$(node -p 'process.features.typescript ? 1 : 0' 2>/dev/null)" != 1 ]; then
  echo "facepool needs Node 22.18 or newer here: no pinned Node 24 is installed for $(uname -s) $(uname -m)" >&2
  exit 1
fi
exec node "$@"
