"""The file of a vocabulary: written whole or not at all, read only if it means the same here."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from companion.text import tokenizer_json
from companion.text.bpe import BPE, train_bpe

ROOT = Path(__file__).resolve().parent.parent
SPECIAL = ("<pad>", "<bos>", "<eos>")


@pytest.fixture(scope="module")
def bpe():
    return train_bpe(["the newest river, the widest river, 注意力 🙂"] * 2, 280, SPECIAL)


def test_a_saved_file_is_read_back(bpe, tmp_path):
    bpe.save(tmp_path / "tokenizer.json")
    assert BPE.load(tmp_path / "tokenizer.json") == bpe
    assert os.listdir(tmp_path) == ["tokenizer.json"]
    assert "注" not in (tmp_path / "tokenizer.json").read_text("utf-8")  # bytes as letters


def test_an_error_midway_leaves_the_old_file(bpe, tmp_path, monkeypatch):
    path = tmp_path / "tokenizer.json"
    path.write_text("old")

    def full(number):
        raise OSError("disk full")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(tokenizer_json.os, name, lambda *_: full(0))
            with pytest.raises(OSError, match="disk full"):
                bpe.save(path)
        assert path.read_text() == "old"
        assert os.listdir(tmp_path) == ["tokenizer.json"]


def test_a_process_killed_midway_leaves_the_old_file(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text("old")
    program = textwrap.dedent(
        f"""
        import os
        from companion.text.bpe import train_bpe
        os.fsync = lambda number: os._exit(9)
        train_bpe(["aaab"], 257).save({str(path)!r})
        """
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert ended.returncode == 9
    assert path.read_text() == "old"


def test_saving_through_a_link_keeps_the_link(bpe, tmp_path):
    (tmp_path / "link.json").symlink_to("real.json")
    bpe.save(tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert BPE.load(tmp_path / "real.json") == bpe


def edited(bpe, tmp_path, edit):
    path = tmp_path / "edited.json"
    bpe.save(path)
    data = json.loads(path.read_text("utf-8"))
    edit(data)
    path.write_text(json.dumps(data), "utf-8")
    return path


def set_at(*keys, value):
    def edit(data):
        for key in keys[:-1]:
            data = data[key]
        data[keys[-1]] = value

    return edit


def without(*keys):
    def edit(data):
        for key in keys[:-1]:
            data = data[key]
        del data[keys[-1]]

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (set_at("model", "type", value="WordPiece"), "model.type: expected 'BPE', got 'WordPiece'"),
        (set_at("model", "dropout", value=0.1), "model.dropout: expected None, got 0.1"),
        (set_at("model", "byte_fallback", value=True), "model.byte_fallback: expected False"),
        (set_at("model", "ignore_merges", value=True), "model.ignore_merges: expected False"),
        (set_at("model", "end_of_word_suffix", value="</w>"), "expected None, got '</w>'"),
        (without("model"), "model: expected dict, got null"),
        (without("model", "merges"), "model.merges: expected list, got null"),
        (without("model", "vocab"), "model.vocab: expected dict, got null"),
        (set_at("model", "vocab", value=[]), "model.vocab: expected dict, got list"),
        (set_at("model", "vocab", "a", value="7"), "model.vocab: expected int, got str"),
        (set_at("model", "vocab", "a", value=True), "model.vocab: expected int, got bool"),
        (set_at("model", "vocab", "a", value=999), "model.vocab: expected ids 0, 1, 2, ..., got"),
        (without("model", "vocab", "a"), "model.vocab: expected ids 0, 1, 2, ..., got"),
        (set_at("model", "merges", 0, value="abc"), "model.merges: expected two tokens, got 'abc'"),
        (set_at("model", "merges", 0, value=["a", 1]), "expected two tokens, got ['a', 1]"),
        (set_at("model", "merges", 0, value=["a", "好"]), "merges: expected parts and sum among"),
        (set_at("normalizer", value={"type": "NFC"}), "normalizer: expected null, got NFC"),
        (set_at("truncation", value={"max_length": 5}), "truncation: expected null, got an object"),
        (set_at("padding", value={"pad_id": 0}), "padding: expected null, got an object"),
        (set_at("pre_tokenizer", value=None), "pre_tokenizer: expected ByteLevel, got null"),
        (
            set_at("pre_tokenizer", "type", value="Metaspace"),
            "pre_tokenizer: expected ByteLevel, got Metaspace",
        ),
        (
            set_at("pre_tokenizer", "add_prefix_space", value=True),
            "pre_tokenizer.add_prefix_space: expected False, got True",
        ),
        (set_at("pre_tokenizer", "use_regex", value=False), "use_regex: expected True, got False"),
        (set_at("decoder", value={"type": "BPEDecoder"}), "decoder: expected ByteLevel, got BPED"),
        (
            set_at("post_processor", value={"type": "TemplateProcessing"}),
            "post_processor: expected null or ByteLevel, got TemplateProcessing",
        ),
        (set_at("added_tokens", value={}), "added_tokens: expected list, got"),
        (set_at("added_tokens", 0, value=3), "added_tokens: expected dict, got int"),
        (set_at("added_tokens", 0, "content", value=3), "added_tokens.content: expected str"),
        (set_at("added_tokens", 0, "id", value="3"), "added_tokens.id: expected int, got str"),
        (
            set_at("added_tokens", 0, "id", value=7),
            "added_tokens.id: expected 0 for '<pad>', got 7",
        ),
        (set_at("added_tokens", 0, "lstrip", value=True), "added_tokens.lstrip: expected false"),
        (set_at("added_tokens", 0, "special", value=False), "added_tokens.special: expected true"),
        (
            set_at("model", "vocab", "好", value=280),
            "expected byte letters or a special token, got",
        ),
    ],
)
def test_foreign_files_are_refused_with_the_part_that_does_not_fit(bpe, tmp_path, edit, message):
    path = edited(bpe, tmp_path, edit)
    with pytest.raises(ValueError) as raised:  # noqa: PT011 (the message is compared below)
        BPE.load(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected JSON, got Expecting value at line 1 column 1"),
        (b"not json", "expected JSON, got Expecting value at line 1 column 1"),
        (b"[1, 2]", "file: expected dict, got list"),
        (b"\xff\xfe", "expected UTF-8, got another byte at 0"),
        (b"[" * 200_000, "expected tokenizer.json, got JSON nested too deep"),
    ],
)
def test_broken_files_are_refused(tmp_path, content, message):
    (tmp_path / "broken.json").write_bytes(content)
    with pytest.raises(ValueError) as raised:  # noqa: PT011
        BPE.load(tmp_path / "broken.json")
    assert str(raised.value) == f"{tmp_path / 'broken.json'}: {message}"


def test_a_file_cut_short_anywhere_is_refused(tmp_path):
    train_bpe(["aaab"], 258, ["<eos>"]).save(tmp_path / "whole.json")
    whole = (tmp_path / "whole.json").read_bytes()
    for length in range(0, len(whole) - 2, 97):
        (tmp_path / "cut.json").write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"expected JSON|expected UTF-8"):
            BPE.load(tmp_path / "cut.json")


def test_a_missing_file_is_the_usual_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        BPE.load(tmp_path / "none.json")


def test_merges_written_as_one_string_are_read(bpe, tmp_path):
    def as_strings(data):
        data["model"]["merges"] = [" ".join(pair) for pair in data["model"]["merges"]]
        del data["model"]["type"], data["model"]["ignore_merges"]  # not written by early versions
        data["model"]["end_of_word_suffix"] = ""

    assert BPE.load(edited(bpe, tmp_path, as_strings)) == bpe
