"""A voice to experiment with: a source, buzz or hiss, sent through the resonances of a mouth.

Needs scipy (extra `book`); nothing else in the package imports this file.
"""

import base64
import html
import io
import wave as wav
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import sosfilt

from companion import _check

Floats: TypeAlias = NDArray[np.float64]

RATE = 8000  # samples a second
BLOCK = 160  # samples for which the mouth stands still: 20 ms

# Resonances in Hz, loudness of buzz and of hiss. Vowels: Peterson & Barney 1952, table II, means
# of men. The murmur of m and the hiss of s, and all loudnesses, are set by ear.
SOUNDS = {
    "a": ((730, 1090, 2440), 1.0, 0.0),
    "e": ((530, 1840, 2480), 0.9, 0.0),
    "i": ((270, 2290, 3010), 0.7, 0.0),
    "o": ((570, 840, 2410), 0.9, 0.0),
    "u": ((300, 870, 2240), 0.7, 0.0),
    "m": ((250, 1200, 2100), 0.3, 0.0),
    "s": ((2600, 3200, 3700), 0.0, 0.2),
    " ": ((500, 1500, 2500), 0.0, 0.0),
}
BANDWIDTHS = (80.0, 110.0, 160.0)  # Hz


def speak(
    sounds: str,
    seconds: Sequence[float],
    pitch_hz: ArrayLike,
    rng: np.random.Generator,
    *,
    tract: float = 1.0,
) -> Floats:
    """Say a row of sounds, each gliding into the next.

    sounds of `SOUNDS`, a space is silence   seconds of each   rng for the hiss
    pitch_hz of the buzz: one number, or several spread evenly over the whole
    tract: all resonances times this; above 1 for a mouth shorter than a man's
    Returns the waveform (N,), `RATE` samples a second, its largest size 1 if it is not silent.

    Raises ValueError if a sound is unknown or has no duration, or a number is not positive.
    Source: the source-filter model of Fant 1960 with the cascade of resonators of Klatt 1980.
    """
    unknown = sorted(set(sounds) - SOUNDS.keys())
    if unknown or not sounds:
        raise ValueError(f"sounds: expected some of {''.join(SOUNDS)!r}, got {sounds!r}")
    if len(seconds) != len(sounds):
        raise ValueError(f"seconds: expected {len(sounds)}, one for each sound, got {len(seconds)}")
    _check.positive(tract=tract, **{f"seconds[{n}]": float(s) for n, s in enumerate(seconds)})
    blocks = [max(1, round(duration * RATE / BLOCK)) for duration in seconds]
    rows = [[*SOUNDS[sound][0], *SOUNDS[sound][1:]] for sound in sounds]
    smooth = _smoothed(np.repeat(np.array(rows, dtype=float), blocks, axis=0))
    size = len(smooth) * BLOCK
    pitch = np.atleast_1d(np.asarray(pitch_hz, dtype=float))
    if pitch.ndim != 1 or not pitch.size or not (np.isfinite(pitch) & (pitch > 0)).all():
        raise ValueError("pitch_hz: expected one finite number above 0, or a row (P,) of them")
    pitch = np.interp(np.linspace(0, 1, size), np.linspace(0, 1, len(pitch)), pitch)
    pulses = np.diff(np.floor(np.cumsum(pitch) / RATE), prepend=0.0)  # one a period
    sections, gain = _resonators(tract * smooth[:, :3])
    buzz, hiss = np.repeat((gain[:, None] * smooth[:, 3:]).T, BLOCK, axis=1)
    source = buzz * pulses * np.sqrt(RATE / pitch) + hiss * rng.normal(size=size)
    wave, state = np.empty(size), np.zeros((3, 2))
    for n, mouth in enumerate(sections):
        here = slice(n * BLOCK, (n + 1) * BLOCK)
        wave[here], state = sosfilt(mouth, source[here], zi=state)
    return wave / max(float(np.abs(wave).max()), 1e-9)


def _smoothed(rows: Floats, width: int = 3) -> Floats:
    """A running mean over `width` blocks, so that the mouth glides and nothing clicks."""
    padded = np.pad(rows, ((width // 2, width // 2), (0, 0)), mode="edge")
    total = np.cumsum(np.pad(padded, ((1, 0), (0, 0))), axis=0)
    return (total[width:] - total[:-width]) / width


def _resonators(centres_hz: Floats) -> tuple[Floats, Floats]:
    """Second-order sections (N, 3, 6) of N mouths, and (N,) what makes white noise through one 1.

    centres_hz (N, 3)
    """
    radius = np.exp(-np.pi * np.array(BANDWIDTHS) / RATE)
    angle = 2 * np.pi * np.minimum(centres_hz, 0.48 * RATE) / RATE
    one = np.ones_like(angle)
    back = np.stack([one, -2 * radius * np.cos(angle), one * radius**2], axis=-1)
    front = np.stack([back.sum(axis=-1), 0 * one, 0 * one], axis=-1)  # gain 1 at 0 Hz
    turns = np.exp(-1j * np.pi * np.linspace(0, 1, 65)[:, None] * np.arange(3))
    response = np.prod(front[..., :1] / (back @ turns.T), axis=1)  # (N, 65)
    power = (np.abs(response) ** 2).mean(axis=-1)
    return np.concatenate([front, back], axis=-1), 1 / np.sqrt(power)


class Players:
    """Sounds to play in a page, each with its name."""

    def __init__(self, clips: Mapping[str, ArrayLike]) -> None:
        self.clips = {name: np.asarray(wave, dtype=float) for name, wave in clips.items()}
        for name, wave in self.clips.items():
            if wave.ndim != 1 or not np.isfinite(wave).all():
                raise ValueError(f"clips[{name!r}]: expected finite numbers (N,)")

    def __repr__(self) -> str:
        return f"<{len(self.clips)} sounds: {', '.join(self.clips)}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f'<tr><td style="text-align:left">{html.escape(name)}</td><td><audio controls '
            f'aria-label="{html.escape(name)}" src="data:audio/wav;base64,{_wav(wave)}"></audio>'
            "</td></tr>"
            for name, wave in self.clips.items()
        )
        return f"<table>{rows}</table>"


def players(clips: Mapping[str, ArrayLike]) -> Players:
    """Show sounds as players, the loudest moment of each equally loud.

    clips {name: waveform (N,)}, `RATE` samples a second
    Returns what a notebook shows as a table of players.

    Raises ValueError if a waveform has not one axis or is not finite.
    """
    return Players(clips)


def _wav(wave: Floats) -> str:
    numbers = np.rint(30_000 * wave / max(float(np.abs(wave).max(initial=0)), 1e-9))
    file = io.BytesIO()
    with wav.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(numbers.astype("<i2").tobytes())
    return base64.b64encode(file.getvalue()).decode()
