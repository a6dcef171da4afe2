"""The child that reads words in photos: one cleaned JPEG a frame in, its lines as JSON out (extra `ocr`).

Started by `bot.ocr` as `python -m bot.ocr_worker`, at low priority; it holds no secrets, writes nothing, and may be killed
at any moment.
"""

from __future__ import annotations

import json
import os

from bot.frames import pipes, read, write

NICE = 15
SCORE = 0.5  # lines surer than this


def main() -> None:
    """Serve frames from standard input until it closes."""
    source, sink = pipes()
    if hasattr(os, "nice"):
        os.nice(NICE)
    from rapidocr import RapidOCR

    one_thread = {"EngineConfig.onnxruntime.intra_op_num_threads": 1}
    engine = RapidOCR(params={"Global.log_level": "critical", **one_thread})
    write(sink, b"ready")
    while (photo := read(source)) is not None:
        found = engine(photo)
        lines = zip(found.txts or (), found.scores or (), strict=True)
        write(sink, json.dumps([text for text, score in lines if score > SCORE]).encode())


if __name__ == "__main__":
    main()
