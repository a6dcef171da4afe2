"""The child that reads words in photos: one cleaned JPEG a frame in, its lines as JSON out (extra `ocr`).

Started by `bot.ocr` as `python -m bot.ocr_worker`, at low priority; it holds no secrets, writes nothing, and may be killed
at any moment.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import BinaryIO

NICE = 15
SCORE = 0.5  # lines surer than this


def main() -> None:
    """Serve frames from standard input until it closes."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICE)
    from rapidocr import RapidOCR

    one_thread = {"EngineConfig.onnxruntime.intra_op_num_threads": 1}
    engine = RapidOCR(params={"Global.log_level": "critical", **one_thread})
    _write(sink, b"ready")
    while (photo := _read(source)) is not None:
        found = engine(photo)
        lines = zip(found.txts or (), found.scores or (), strict=True)
        _write(sink, json.dumps([text for text, score in lines if score > SCORE]).encode())


def _read(source: BinaryIO) -> bytes | None:
    head = source.read(4)
    size = int.from_bytes(head, "big")
    frame = source.read(size)
    return frame if len(head) == 4 and len(frame) == size else None


def _write(sink: BinaryIO, frame: bytes) -> None:
    sink.write(len(frame).to_bytes(4, "big"))
    sink.write(frame)
    sink.flush()


if __name__ == "__main__":
    main()
