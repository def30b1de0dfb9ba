"""Python's face_recognition (dlib: HOG detector, 68 landmarks, ResNet) for bench/peers/face-recognition.ts.

face-recognition.py <pixels: RGB888> <width> <height>; then a line `find N` is answered with N times and what was found.
"""

import json
import sys
import time

import dlib
import face_recognition
import numpy

path, width, height = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
picture = numpy.fromfile(path, numpy.uint8).reshape(height, width, 3)


def answer(value):
    print(json.dumps(value), flush=True)


answer({"version": face_recognition.__version__, "dlib": dlib.__version__})
for line in sys.stdin:
    times_ms = []
    for _ in range(int(line.split()[1])):
        start = time.perf_counter()
        places = face_recognition.face_locations(picture)
        embeddings = face_recognition.face_encodings(picture, places)
        times_ms.append((time.perf_counter() - start) * 1000)
    boxes = [{"x": left, "y": top, "width": right - left, "height": bottom - top} for top, right, bottom, left in places]
    answer({"timesMs": times_ms, "boxes": boxes, "dimensions": [len(embedding) for embedding in embeddings]})
