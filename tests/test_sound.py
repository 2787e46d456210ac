"""The voice: as long, as loud and as high as asked, its vowels where they were measured."""

import base64
import io
import re
import wave

import numpy as np
import pytest
from scipy.signal import welch

from companion.sound import BLOCK, RATE, SOUNDS, players, speak


def rng():
    return np.random.default_rng(0)


def lowest_overtone(sound, low_hz, high_hz):
    """The strongest frequency between the two, by one long FFT."""
    size = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 1 << 16))
    hz = np.fft.rfftfreq(1 << 16, 1 / RATE)
    inside = (hz > low_hz) & (hz < high_hz)
    return hz[inside][size[inside].argmax()]


@pytest.mark.parametrize("pitch", [90.0, 150.0, 240.0])
def test_the_pitch_is_the_one_asked_for(pitch):
    sound = speak("a", [1.0], pitch, rng())
    assert abs(lowest_overtone(sound, 0.6 * pitch, 1.4 * pitch) - pitch) < 0.5


def test_the_pitch_glides():
    sound = speak("a", [2.0], [100, 200], rng())
    begin, end = sound[: RATE // 4], sound[-RATE // 4 :]
    assert abs(lowest_overtone(begin, 60, 150) - 106) < 6
    assert abs(lowest_overtone(end, 150, 260) - 194) < 6


@pytest.mark.parametrize("vowel", "aeiou")
@pytest.mark.parametrize("tract", [1.0, 1.2])
def test_the_strongest_overtone_is_at_a_resonance(vowel, tract):
    sound = speak(vowel, [1.0], 50.0, rng(), tract=tract)
    hz, power = welch(sound, RATE, nperseg=2048)
    nearest = min(abs(hz[power.argmax()] - tract * np.array(SOUNDS[vowel][0])))
    assert nearest <= 30  # overtones are 50 Hz apart


def test_the_hiss_has_no_buzz():
    hz, power = welch(speak("s", [1.0], 120.0, rng()), RATE, nperseg=1024)
    assert power[hz > 2000].sum() > 10 * power[hz < 1000].sum()


def test_length_and_range():
    sound = speak("mas i", [0.1, 0.2, 0.1, 0.06, 0.2], 120, rng())
    assert sound.shape == (33 * BLOCK,)
    assert sound.dtype == np.float64
    assert abs(np.abs(sound).max() - 1) < 1e-12
    assert speak("a", [1e-6], 120, rng()).shape == (BLOCK,)


def test_silence_is_silent_and_the_same_seed_the_same_sound():
    assert not speak(" ", [0.5], 120, rng()).any()
    assert (speak("sa", [0.1, 0.1], 120, rng()) == speak("sa", [0.1, 0.1], 120, rng())).all()


@pytest.mark.parametrize(
    ("argument", "change"),
    [
        ("sounds", {"sounds": "ax"}),
        ("sounds", {"sounds": ""}),
        ("seconds", {"seconds": [0.1]}),
        (r"seconds\[1\]", {"seconds": [0.1, 0.0]}),
        ("pitch_hz", {"pitch_hz": 0}),
        ("pitch_hz", {"pitch_hz": [100, np.nan]}),
        ("pitch_hz", {"pitch_hz": []}),
        ("pitch_hz", {"pitch_hz": [[100.0]]}),
        ("tract", {"tract": -1.0}),
    ],
)
def test_what_cannot_be_said_is_refused(argument, change):
    given = {"sounds": "ma", "seconds": [0.1, 0.1], "pitch_hz": 120, "rng": rng()} | change
    with pytest.raises(ValueError, match=f"^{argument}"):
        speak(**given)


def test_players_hold_each_sound_as_a_wav_file():
    loud = speak("a", [0.1], 120, rng())
    shown = players({"a & b": loud, "silent": np.zeros(10), "none": []})._repr_html_()
    assert shown.count("<audio") == 3
    assert 'aria-label="a &amp; b"' in shown
    first = base64.b64decode(re.search('base64,([^"]+)', shown)[1])
    with wave.open(io.BytesIO(first)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        numbers = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    np.testing.assert_allclose(numbers / 30_000, loud, atol=1e-4)


@pytest.mark.parametrize("bad", [np.zeros((2, 3)), np.array([1.0, np.inf])])
def test_players_refuse_what_is_no_waveform(bad):
    with pytest.raises(ValueError, match=r"^clips\['bad'\]"):
        players({"bad": bad})
