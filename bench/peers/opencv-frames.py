"""
OpenCV's way with a raw RGB565 frame, high byte first, on one thread: unpacking, and the usual denoiser.

  python3 opencv-frames.py <folder> <width> <height>

The folder has frame.rgb565, plain.rgb (the exact unpack) and noiseless.f32 (the same capture without noise). Requests come as lines
on stdin, answers go as lines of JSON to stdout: `unpack <times>` writes unpacked.rgb, `denoise <strength>` tells decibels.
"""
import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np

cv2.setNumThreads(1)
folder, width, height = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
shape = (height, width, 3)
frame = np.fromfile(folder / "frame.rgb565", ">u2").reshape(height, width)
plain = np.fromfile(folder / "plain.rgb", np.uint8).reshape(shape)
noiseless = np.fromfile(folder / "noiseless.f32", np.float32).reshape(shape)
swapped = np.empty((height, width), "<u2")
unpacked = np.empty(shape, np.uint8)


def milliseconds(body):
    start = time.perf_counter()
    result = body()
    return (time.perf_counter() - start) * 1000, result


def unpack():
    # The fastest of numpy's ways to exchange bytes; cvtColor reads the low byte first. Both write to memory that is there already.
    np.copyto(swapped, frame)
    cv2.cvtColor(swapped.view(np.uint8).reshape(height, width, 2), cv2.COLOR_BGR5652RGB, unpacked)


def decibels(picture):
    return float(10 * np.log10(255**2 / np.mean((picture.astype(np.float32) - noiseless) ** 2)))


print(json.dumps({"version": cv2.__version__, "plainDecibels": decibels(plain)}), flush=True)
for line in sys.stdin:
    request, value = line.split()
    if request == "unpack":
        answer = {"timesMs": [milliseconds(unpack)[0] for _ in range(int(value))]}
        unpacked.tofile(folder / "unpacked.rgb")
    else:
        strength = float(value)
        time_ms, denoised = milliseconds(
            lambda: cv2.fastNlMeansDenoisingColored(plain, None, strength, strength, 7, 21)
        )
        answer = {"timeMs": time_ms, "decibels": decibels(denoised)}
    print(json.dumps(answer), flush=True)
