"""Models of people who know nothing of us, and inputs that are real to them.

The models are files inside packages, which are found without being imported (some need a framework each):
`pip install --no-deps magika swift-f0 basic-pitch rapidocr-onnxruntime silero-vad`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

Feeds = dict[str, Any]


@dataclass(frozen=True)
class Real:
    """A model inside a package.

    package, file  where it is
    feeds          what it is run on
    known          inputs that are given as arrays when a graph is built, because they choose a branch
    says           what the outputs must mean; gets them as arrays, and the folder of the file
    """

    package: str
    file: str
    feeds: Callable[[Path], Feeds]
    known: tuple[str, ...] = ()
    says: Callable[[list[Any], Path], bool] = field(default=lambda outputs, folder: True)

    def path(self) -> Path | None:
        """Where it is here; None where the package is not installed."""
        spec = find_spec(self.package)
        places = spec.submodule_search_locations if spec is not None else None
        return Path(places[0]) / self.file if places else None


# --- sounds --------------------------------------------------------------------------------


def plucked(pitches: list[float], rate: int, count: int) -> Any:
    """Notes one after the other, as of a string: harmonics that fade, the high ones first."""
    each = count // len(pitches)
    t = np.arange(each) / rate
    notes = [
        sum(np.sin(2 * np.pi * k * pitch * t) * np.exp(-t * (2 + k)) / k for k in range(1, 9))
        for pitch in pitches
    ]
    sound = np.concatenate([*notes, np.zeros(count - each * len(pitches))])
    hiss = np.random.default_rng(0).standard_normal(count) * 1e-3
    return (0.4 * sound + hiss).astype("float32")


def spoken(rate: int, count: int) -> Any:
    """Vowels: pulses of a voice that sinks from 140 Hz, through three resonances that move."""
    t = np.arange(count) / rate
    phase = np.cumsum(140 - 25 * t) / rate
    source = np.diff(np.floor(phase), prepend=0) + 0.01 * np.random.default_rng(1).standard_normal(count)
    for low, high, width in ((700, 320, 90), (1200, 2200, 110), (2600, 2900, 160)):
        shift = 0.5 - 0.5 * np.cos(2 * np.pi * 3 * t)
        radius, angle = np.exp(-np.pi * width / rate), 2 * np.pi * (low + (high - low) * shift) / rate
        made = np.zeros(count + 2)
        for n in range(count):
            made[n + 2] = source[n] + 2 * radius * np.cos(angle[n]) * made[n + 1] - radius**2 * made[n]
        source = made[2:]
    return (0.3 * source / np.abs(source).max()).astype("float32")


# --- texts ---------------------------------------------------------------------------------

TEXT = "Two engines 2026"


def written(height: int, width: int, size: int) -> Any:
    """The text as an image (1, 3, height, width) of numbers from -1 to 1, black on white."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("L", (width, height), 255)
    ImageDraw.Draw(image).text((size // 3, (height - size) // 2 - 2), TEXT, 0, ImageFont.load_default(size))
    pixels = np.asarray(image, "float32") / 127.5 - 1
    return np.tile(pixels, (1, 3, 1, 1))


def read(scores: Any, file: Path) -> str:
    """What a recogniser says: the likeliest sign at each place, each run of one once, blanks left out. The
    signs stand among the metadata of the file."""
    import onnx

    signs = {entry.key: entry.value for entry in onnx.load(file, load_external_data=False).metadata_props}
    alphabet = ["", *signs["character"].splitlines(), " "]
    best = scores[0].argmax(-1)
    kept = [n for n, before in zip(best, [0, *best[:-1]], strict=True) if n != before and n]
    return "".join(alphabet[n] for n in kept)


# --- files ---------------------------------------------------------------------------------

SOURCES = {
    "python": Path(json.__file__).read_bytes(),
    "html": b"<!DOCTYPE html>\n<html>\n<head><title>A page</title></head><body>Text</body>\n</html>\n" * 4,
    "c": b'#include <stdio.h>\n\nint main(void) {\n    printf("%d\\n", 6 * 7);\n    return 0;\n}\n' * 4,
    "png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x08\0\0\0\x08\x08\x02\0\0\0Km)\xdc" + bytes(range(256)),
}  # fmt: skip


def ends(data: bytes) -> list[int]:
    """The first and last 1024 bytes, as magika takes them; 256 where there is none."""
    first, last = data.lstrip()[:1024], data.rstrip()[-1024:]
    return [*first, *[256] * (1024 - len(first)), *[256] * (1024 - len(last)), *last]


def kinds_of_files(outputs: list[Any], folder: Path) -> bool:
    labels = json.loads((folder / "config.min.json").read_text())["target_labels_space"]
    return [labels[i] for i in outputs[0].argmax(-1)] == [*SOURCES]


# --- the models ----------------------------------------------------------------------------


def _voice(**more: Any) -> Callable[[Path], Feeds]:
    def feeds(folder: Path) -> Feeds:
        sound = spoken(16000, 576 * 4)
        return {"input": sound[None, -576:], "state": np.zeros((2, 1, 128), "float32"), **more}

    return feeds


def _sequence(folder: Path) -> Feeds:
    nothing = np.zeros((1, 1, 128), "float32")
    return {"input": spoken(16000, 576 * 4).reshape(4, 576), "h": nothing, "c": nothing.copy()}


def _sound(folder: Path) -> Feeds:
    return {
        "audio": plucked([220, 330], 16000, 12000)[None],
        "fmin": np.array(46.875, "float32"), "fmax": np.array(2093.75, "float32"),
    }  # fmt: skip


def _found_pitches(outputs: list[Any], folder: Path) -> bool:
    pitch = outputs[0][0]
    third = len(pitch) // 4
    return abs(np.median(pitch[:third]) / 220 - 1) < 0.02 and abs(np.median(pitch[-third:]) / 330 - 1) < 0.02


RATE = {"sr": np.array(16000, "int64")}
REAL: dict[str, Real] = {
    "magika": Real(
        "magika", "models/standard_v3_3/model.onnx",
        lambda folder: {"bytes": np.array([ends(data) for data in SOURCES.values()], "int32")},
        says=kinds_of_files,
    ),
    "swift-f0": Real("swift_f0", "model.onnx", _sound, says=_found_pitches),
    "basic-pitch": Real(
        "basic_pitch", "saved_models/icassp_2022/nmp.onnx",
        lambda folder: {
            "serving_default_input_2:0": plucked([220, 440, 330], 22050, 43844)[None, :, None]
        },
        says=lambda outputs, folder: bool(outputs[0][0, :50].mean(0).argmax() == 57 - 21),
    ),
    "rapidocr, detector": Real(
        "rapidocr_onnxruntime", "models/ch_PP-OCRv4_det_infer.onnx",
        lambda folder: {"x": written(96, 256, 24)},
        says=lambda outputs, folder: bool(outputs[0].max() > 0.6 and outputs[0][0, 0, 0].max() < 0.3),
    ),
    "rapidocr, classifier": Real(
        "rapidocr_onnxruntime", "models/ch_ppocr_mobile_v2.0_cls_infer.onnx",
        lambda folder: {"x": written(48, 192, 24)},
        says=lambda outputs, folder: bool(outputs[0][0].argmax() == 0),
    ),
    "rapidocr, recogniser": Real(
        "rapidocr_onnxruntime", "models/ch_PP-OCRv4_rec_infer.onnx",
        lambda folder: {"x": written(48, 320, 32)},
        says=lambda outputs, folder: read(outputs[0], folder / "ch_PP-OCRv4_rec_infer.onnx") == TEXT,
    ),
    "silero-vad": Real("silero_vad", "data/silero_vad.onnx", _voice(**RATE), ("sr",)),
    "silero-vad, opset 15": Real("silero_vad", "data/silero_vad_16k_op15.onnx", _voice(**RATE), ("sr",)),
    "silero-vad, without branches": Real("silero_vad", "data/silero_vad_op18_ifless.onnx", _voice(**RATE)),
    "silero-vad, half": Real("silero_vad", "data/silero_vad_half.onnx", _voice()),
    "silero-vad, for openvino": Real("silero_vad", "data/silero_vad_openvino_16k.onnx", _voice()),
    "silero-vad, sequences": Real("silero_vad", "data/silero_vad_16k_sequence.onnx", _sequence),
}  # fmt: skip
