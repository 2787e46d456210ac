"""Checkpoints: what goes in comes out, in both wings; what is broken is refused by name; and a
process killed while it saves leaves the old checkpoint or the new one, never half of one."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from learning_helpers import assert_identical, rooms, to
from safetensors.numpy import load, save

from companion import _atomic

WINGS = ("numpy", "torch")
ROOT = Path(__file__).parents[1]


@pytest.fixture(params=WINGS)
def lib(request: pytest.FixtureRequest) -> Any:
    return rooms(request.param)


def some_params() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "z.weight": rng.standard_normal((3, 5)).astype(np.float32),
        "a.weight": rng.standard_normal((5, 2)).T,  # not contiguous
        "half": rng.standard_normal(3).astype(np.float16),
        "scale": np.array(1.5),
        "none": np.zeros((0, 4), np.float32),
    }


def some_state() -> dict[str, np.ndarray]:
    moments = {f"mean.{name}": np.asarray(2 * array) for name, array in some_params().items()}
    return {"step": np.array(7), "flag": np.array([True, False]), **moments}


METADATA = {"seed": 3, "note": "Zürich 注意", "history": [[1, 0.1, None]], "deep": {"a": [1]}}


@pytest.mark.parametrize("reader", WINGS)
def test_either_wing_reads_what_either_wrote(lib: Any, reader: str, tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    lib.save_checkpoint(
        path, to(lib.wing, some_params()), state=to(lib.wing, some_state()), metadata=METADATA
    )
    expected = to(reader, some_params())
    found = rooms(reader).load_checkpoint(path, expected)
    kind = np.ndarray if reader == "numpy" else torch.Tensor
    assert all(isinstance(array, kind) for array in found.params.values())
    assert_identical(found.params, some_params())
    assert_identical(found.state, some_state())
    assert found.metadata == METADATA
    assert list(found.params) == list(expected)  # in the order of what was expected
    found.params["z.weight"][0, 0] = 1  # the arrays are the caller's own
    assert_identical(rooms(reader).load_checkpoint(path).params, some_params())


def test_an_array_is_kept_whatever_its_order_in_memory(lib: Any, tmp_path: Path) -> None:
    params = to(lib.wing, some_params())
    strides = params["a.weight"].strides if lib.wing == "numpy" else params["a.weight"].stride()
    assert strides[0] < strides[1]  # columns first: else this test shows nothing
    lib.save_checkpoint(tmp_path / "run", params)
    assert_identical(lib.load_checkpoint(tmp_path / "run").params, some_params())


def test_both_wings_write_the_same_bytes(tmp_path: Path) -> None:
    files = []
    for wing in WINGS:
        path = tmp_path / wing
        rooms(wing).save_checkpoint(path, to(wing, some_params()), metadata=METADATA)
        files.append(path.read_bytes())
    assert files[0] == files[1]


def test_any_reader_of_safetensors_finds_the_parameters(lib: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    lib.save_checkpoint(str(path), to(lib.wing, some_params()))
    assert_identical(load(path.read_bytes()), some_params())


def test_torch_keeps_views_gradients_and_bfloat16_apart(tmp_path: Path) -> None:
    lib, path = rooms("torch"), tmp_path / "run.safetensors"
    whole = torch.arange(6.0).requires_grad_()
    params = {"head": whole[:3], "tail": whole[3:], "all": whole, "brain": whole.bfloat16()}
    lib.save_checkpoint(path, params)
    found = lib.load_checkpoint(path, params).params
    assert all(torch.equal(found[name], params[name]) for name in params)
    assert not any(tensor.requires_grad for tensor in found.values())
    with pytest.raises(TypeError, match=r"^path: expected dtypes that NumPy has, got 'BF16'"):
        rooms("numpy").load_checkpoint(path)


# ------------------------------------------------------------------------ what is refused


def saved(lib: Any, tmp_path: Path) -> Path:
    path = tmp_path / "run.safetensors"
    lib.save_checkpoint(
        path, to(lib.wing, some_params()), state=to(lib.wing, some_state()), metadata=METADATA
    )
    return path


def forged(raw: bytes, **arrays: np.ndarray) -> bytes:
    """A file with some arrays replaced and the old header's record kept."""
    length = int.from_bytes(raw[:8], "little")
    record = json.loads(raw[8 : 8 + length])["__metadata__"]
    return save({**load(raw), **arrays}, metadata=record)


def test_a_missing_file_and_a_folder(lib: Any, tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=r"^path: expected a checkpoint, got no file at .*x"
    ):
        lib.load_checkpoint(tmp_path / "x")
    with pytest.raises(IsADirectoryError, match=r"^path: expected a file, got the folder"):
        lib.load_checkpoint(tmp_path)


def test_a_file_cut_off_anywhere(lib: Any, tmp_path: Path) -> None:
    path = saved(lib, tmp_path)
    raw = path.read_bytes()
    header = 8 + int.from_bytes(raw[:8], "little")
    for length in (0, 1, 7, 8, 9, header // 2, header, header + 1, len(raw) - 1):
        path.write_bytes(raw[:length])
        said = "the safetensors format, got" if length < 8 else r"\d+ bytes.*the file is cut off"
        with pytest.raises(ValueError, match=rf"^path: expected {said}.* in .*run.safetensors$"):
            lib.load_checkpoint(path)
    path.write_bytes(raw + b"\0")
    with pytest.raises(ValueError, match=rf"^path: expected {len(raw)} bytes, got {len(raw) + 1}"):
        lib.load_checkpoint(path)


@pytest.mark.slow
def test_every_flipped_bit_is_found(lib: Any, tmp_path: Path) -> None:
    path = saved(lib, tmp_path)
    raw = path.read_bytes()
    original = lib.load_checkpoint(path)
    places = range(0, len(raw), 1 if lib.wing == "numpy" else 37)
    for place in places:
        changed = bytearray(raw)
        changed[place] ^= 1 << (place % 8)
        path.write_bytes(changed)
        try:
            found = lib.load_checkpoint(path)
        except ValueError as error:
            assert str(error).startswith("path: expected ")  # noqa: PT017 - either way is right
        else:  # blank space of the header: nothing that is read was changed
            assert_identical(found.params, original.params)
            assert_identical(found.state, original.state)
            assert found.metadata == METADATA
            assert raw[place : place + 1] == b" "


def test_tampering_is_told(lib: Any, tmp_path: Path) -> None:
    path = saved(lib, tmp_path)
    raw = path.read_bytes()
    other = forged(raw, scale=np.array(1.5000001))
    swapped = raw.replace(b'\\"seed\\": 3', b'\\"seed\\": 4')
    assert swapped != raw
    for bad in (other, swapped):
        path.write_bytes(bad)
        message = r"^path: expected the contents that were saved, got others in .*: their SHA-256"
        with pytest.raises(ValueError, match=message):
            lib.load_checkpoint(path)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\x80\x04\x95 a pickle, never opened", "the safetensors format, got 26 bytes that begin"),
        (b"hello, this is a text file", "the safetensors format, got 26 bytes that begin b'hello"),
        (b"\x09\0\0\0\0\0\0\0{\"a\": [}]", "the header of a safetensors file, got other bytes"),
        (b"\x08\0\0\0\0\0\0\0{\"a\": 1}", "the header of a safetensors file, got other bytes"),
        (save({"w": np.ones(2)}), "the record that save_checkpoint makes, got none"),
        (save({"w": np.ones(2)}, metadata={"companion": "{}"}), "the record that save_checkpoint"),
    ],
)  # fmt: skip
def test_other_files_are_told(lib: Any, raw: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(raw)
    with pytest.raises(ValueError, match=rf"^path: expected {message}"):
        lib.load_checkpoint(path)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_inf_are_named_when_saving_and_the_old_file_stays(
    lib: Any, bad: float, tmp_path: Path
) -> None:
    path = saved(lib, tmp_path)
    before = path.read_bytes()
    weights = to(lib.wing, {"fine": np.ones(2), "layer.0.weight": np.array([[0.0, bad]])})
    with pytest.raises(ValueError, match=r"^params\['layer.0.weight'\]: expected finite numbers"):
        lib.save_checkpoint(path, weights)
    with pytest.raises(ValueError, match=r"^state\['layer.0.weight'\]: expected finite numbers"):
        lib.save_checkpoint(path, {}, state=weights)
    assert path.read_bytes() == before


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_and_inf_in_a_file_are_named_when_loading(
    lib: Any, bad: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.safetensors"
    weights = to(lib.wing, {"fine": np.ones(2), "layer.0.weight": np.array([[0.0, bad]])})
    with monkeypatch.context() as patch:  # someone else's program, which does not look
        patch.setattr("companion._checkpoint.finite", lambda name, given: None)
        lib.save_checkpoint(path, weights)
    with pytest.raises(ValueError, match=r"^params\['layer.0.weight'\]: expected finite numbers"):
        lib.load_checkpoint(path)


def test_what_does_not_fit_the_model_is_named(lib: Any, tmp_path: Path) -> None:
    path = saved(lib, tmp_path)
    params = some_params()
    other = {name: array for name, array in params.items() if name != "half"}
    missing = (
        r"^params: expected the keys of expected, got missing \['new'\], unexpected \['half'\]"
    )
    with pytest.raises(ValueError, match=missing):
        lib.load_checkpoint(path, to(lib.wing, other | {"new": np.ones(1)}))
    shape = r"^params\['z.weight'\]: expected shape \(5, 3\) = that of expected, got \(3, 5\)"
    with pytest.raises(ValueError, match=shape):
        lib.load_checkpoint(path, to(lib.wing, params | {"z.weight": np.ones((5, 3), np.float32)}))
    dtype = r"^params\['scale'\]: expected dtype float32 like expected, got float64"
    with pytest.raises(TypeError, match=dtype):
        lib.load_checkpoint(path, to(lib.wing, params | {"scale": np.array(1, np.float32)}))


def test_what_cannot_be_kept_is_named(lib: Any, tmp_path: Path) -> None:
    path, one = tmp_path / "run.safetensors", to(lib.wing, {"w": np.ones(2)})
    with pytest.raises(TypeError, match=r"^params\['w'\]: expected a floating dtype, got int64"):
        lib.save_checkpoint(path, to(lib.wing, {"w": np.ones(2, np.int64)}))
    with pytest.raises(TypeError, match=r"^params: expected a dict of arrays, got list"):
        lib.save_checkpoint(path, [1.0])
    with pytest.raises(TypeError, match=r"^state\['step'\]: expected .*, got builtins.int"):
        lib.save_checkpoint(path, one, state={"step": 3})
    with pytest.raises(ValueError, match=r"^params\['state/w'\]: expected a name that is not"):
        lib.save_checkpoint(path, {"state/w": one["w"]})
    for bad in ({"a": {1, 2}}, {"a": float("nan")}, {"a": (1, 2)}, {3: "a"}):
        with pytest.raises(TypeError, match=r"^metadata: expected "):
            lib.save_checkpoint(path, one, metadata=bad)
    with pytest.raises(FileNotFoundError, match="none"):
        lib.save_checkpoint(tmp_path / "none" / "run", one)
    assert list(tmp_path.iterdir()) == []


def test_numpy_only_dtypes_are_named(tmp_path: Path) -> None:
    wide = {"w": np.ones(2, np.longdouble)}
    if wide["w"].dtype == np.float64:
        pytest.skip("longdouble is float64 on this machine")
    with pytest.raises(TypeError, match=r"^params\['w'\]: expected one of float16, .*got float128"):
        rooms("numpy").save_checkpoint(tmp_path / "run", wide)


# -------------------------------------------------------------------------------- crashes


@given(first=st.binary(max_size=50), second=st.binary(max_size=50))
def test_atomic_write_replaces_the_whole_file(
    first: bytes, second: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("atomic") / "file"
    for data in (first, second):
        _atomic.write(path, data)
        assert path.read_bytes() == data
        assert os.listdir(path.parent) == ["file"]


def test_a_full_disk_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    _atomic.write(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            _atomic.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(os.name != "posix", reason="symbolic links need rights on Windows")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    _atomic.write(tmp_path / "link", b"data")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"data"


SIZE = 500_000  # 2 MB: written in milliseconds, so that a kill can strike in the middle

CHILD = """
import builtins, os, signal, sys
import numpy as np
from companion import _atomic
from companion.with_numpy.checkpoints import save_checkpoint

path, first, moment = sys.argv[1], int(sys.argv[2]), sys.argv[3]

def save(version):
    params = {"w": np.full(SIZE, version, np.float32)}
    save_checkpoint(path, params, metadata={"version": version})
    print(version, flush=True)

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

class Half:
    def __init__(self, file): self.file = file
    def __enter__(self): return self
    def __exit__(self, *_): pass
    def write(self, data):
        self.file.write(data[: len(data) // 2]); self.file.flush(); die()

save(first)
if moment == "half written":
    _atomic.open = lambda *args: Half(builtins.open(*args))
elif moment == "written, not on disk":
    os.fsync = die
elif moment == "on disk, not renamed":
    os.replace = die
elif moment == "renamed":
    rename = os.replace
    os.replace = lambda *args: (rename(*args), die())
while True:
    first += 1
    save(first)
""".replace("SIZE", str(SIZE))


def spawn(path: Path, first: int, moment: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", CHILD, str(path), str(first), moment]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def version_at(path: Path) -> int:
    """The version found, once it is known to be whole: one number everywhere."""
    found = rooms("numpy").load_checkpoint(path)
    version = int(found.metadata["version"])
    np.testing.assert_array_equal(found.params["w"], np.full(SIZE, version, np.float32))
    return version


needs_sigkill = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")


@needs_sigkill
@pytest.mark.parametrize(
    ("moment", "left", "litter"),
    [
        ("half written", 1, True),
        ("written, not on disk", 1, True),
        ("on disk, not renamed", 1, True),
        ("renamed", 2, False),
    ],
)
def test_killed_at_each_moment_of_a_save(
    moment: str, left: int, litter: bool, tmp_path: Path
) -> None:
    path = tmp_path / "run.safetensors"
    child = spawn(path, 1, moment)
    child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL
    assert version_at(path) == left
    beside = tmp_path / ".run.safetensors.tmp"
    assert beside.exists() == litter
    rooms("numpy").save_checkpoint(
        path, {"w": np.full(SIZE, 5, np.float32)}, metadata={"version": 5}
    )
    assert version_at(path) == 5
    assert os.listdir(tmp_path) == [path.name]  # the next save took the litter away


@pytest.mark.slow
@needs_sigkill
def test_killed_at_random_while_saving(tmp_path: Path) -> None:
    path, beside = tmp_path / "run.safetensors", tmp_path / ".run.safetensors.tmp"
    chance, version, struck = random.Random(0), 0, 0
    for _ in range(10):
        child = spawn(path, version + 1, "at random")
        assert child.stdout is not None
        told = [int(child.stdout.readline()) for _ in range(3)]  # it saves and saves
        deadline = time.monotonic() + 0.05 + 0.2 * chance.random()
        while time.monotonic() < deadline or not beside.exists():  # then wait for a save to begin
            assert child.poll() is None, "the child ended by itself"
        time.sleep(0.004 * chance.random())
        child.kill()
        rest, _ = child.communicate(timeout=60)
        told += [int(line) for line in rest.split()]
        struck += beside.exists()
        version = version_at(path)
        assert version - told[-1] in (0, 1)  # what was told is there, or the one after it
        assert len(os.listdir(tmp_path)) <= 2  # never more litter than one file
    assert struck > 0, "no kill came in the middle of a save: this test has shown nothing"
    print(f"{struck} of 10 kills came in mid-save")
    rooms("numpy").save_checkpoint(path, {"w": np.full(SIZE, 0, np.float32)})
    assert os.listdir(tmp_path) == [path.name]


def test_names_and_dtypes_that_the_file_cannot_hold_are_refused(lib: Any, tmp_path: Path) -> None:
    path, one = tmp_path / "run.safetensors", to(lib.wing, {"w": np.ones(2)})
    with pytest.raises(ValueError, match=r"^params\['__metadata__'\]: expected a name that is not"):
        lib.save_checkpoint(path, to(lib.wing, {"__metadata__": np.ones(2)}))
    with pytest.raises(TypeError, match=r"^state\['s'\]: expected one of .*, got complex128"):
        lib.save_checkpoint(path, one, state=to(lib.wing, {"s": np.ones(2, np.complex128)}))
    assert not path.exists()
