"""The command line as its users meet it: another process, another folder, awkward files."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from companion import __version__, cli
from companion.news import load_news, read_news, summarize

ROOT = Path(cli.__file__).resolve().parent.parent
ENGLISH = next(item["content"] for item in load_news() if item["id"] == "en-05")
CHINESE = next(item["content"] for item in load_news() if item["id"] == "zh-01")


def environment(**more: str) -> dict[str, str]:
    # PYTHONPATH, so that the tests run on a checkout that was not installed too. Output is buffered
    # as it is for a user: unbuffered, a closed pipe shows at once and not at the last flush.
    ours = {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": ""}
    return {**os.environ, **ours, **more}


def companion(folder: Path, *arguments: str, stdin: bytes = b"", **more: str):
    """Run `python -m companion` in `folder`, well outside the checkout."""
    done = subprocess.run(
        [sys.executable, "-m", "companion", *arguments],
        input=stdin,
        capture_output=True,
        cwd=folder,
        env=environment(**more),
        timeout=60,
        check=False,
    )
    out, err = done.stdout.decode("utf-8"), done.stderr.decode("utf-8")
    # Windows ends lines with \r\n
    return done.returncode, out.replace("\r\n", "\n"), err.replace("\r\n", "\n")


@pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_summarises_a_file_and_standard_input(tmp_path, text) -> None:
    (tmp_path / "新闻 1.txt").write_text(text, encoding="utf-8")
    expected = (0, read_news(text).summary + "\n", "")
    assert companion(tmp_path, "summarize", "新闻 1.txt") == expected
    assert companion(tmp_path, "summarize", "-", stdin=text.encode()) == expected


@pytest.mark.parametrize("method", cli.METHODS)
def test_sentences_and_method(tmp_path, method) -> None:
    got = companion(
        tmp_path, "summarize", "-", "-n", "2", "--method", method, stdin=ENGLISH.encode()
    )
    assert got == (0, summarize(ENGLISH, 2, method).summary + "\n", "")


def test_all_shows_each_method(tmp_path) -> None:
    code, out, err = companion(tmp_path, "summarize", "-", "--all", stdin=CHINESE.encode())
    expected = [f"{m:<10} {summarize(CHINESE, 1, m).summary}" for m in cli.METHODS]
    assert (code, out.splitlines(), err) == (0, expected, "")


def test_weights_list_every_sentence_and_mark_the_chosen(tmp_path) -> None:
    code, out, _ = companion(
        tmp_path, "summarize", "-", "--all", "--scores", stdin=ENGLISH.encode()
    )
    header, *rows = out.splitlines()
    assert code == 0
    assert header.split() == ["no", *cli.METHODS, "sentence"]
    got = summarize(ENGLISH)
    assert [row.split()[0] for row in rows] == [str(n + 1) for n in range(len(got.sentences))]
    for number, (row, sentence) in enumerate(zip(rows, got.sentences, strict=True)):
        assert row.endswith(sentence.strip())
        assert row.split()[1] == f"{got.scores[number]:.3f}"
        assert (row.split()[2] == "*") == (number in got.chosen)


def test_a_byte_order_mark_and_windows_line_ends_are_no_trouble(tmp_path) -> None:
    raw = b"\xef\xbb\xbf" + "猫睡觉。\r\n狗追猫，狗也追球。\r\n球在滚。\r\n".encode()
    got = companion(tmp_path, "summarize", "-", "--method", "attention", stdin=raw)
    assert got == (0, "狗追猫，狗也追球。\n", "")
    code, out, _ = companion(tmp_path, "summarize", "-", "--method", "lead", stdin=raw)
    assert (code, out) == (0, "猫睡觉。\n")  # no mark left in front


BAD = {
    "empty": (b"", "bad.txt: empty; expected some text"),
    "blank": (b" \n\t\n", "bad.txt: only white space; expected some text"),
    "only mark": (b"\xef\xbb\xbf", "bad.txt: only white space; expected some text"),
    "binary": (b"text\0text", "bad.txt: binary: NUL at byte 4; expected a UTF-8 text"),
    "gb18030": (
        "ok 新闻".encode("gb18030"),
        "bad.txt: not UTF-8: byte 0xd0 at offset 3; "
        "convert it, e.g. iconv -f GB18030 -t UTF-8 bad.txt (Chinese) or from WINDOWS-1252 "
        "(Western)",
    ),
    "mark, then latin": (b"\xef\xbb\xbfcaf\xe9 au lait", "byte 0xe9 at offset 6"),
    "cut short": ("新".encode()[:2], "not UTF-8: byte 0xe6 at offset 0"),
    "utf-16": ("新闻".encode("utf-16"), "UTF-16, not UTF-8; convert it, e.g. iconv -f UTF-16"),
    "too long": (b"a" * 100_001, "bad.txt: too long: 100,001 bytes, the limit is 100,000"),
}


@pytest.mark.parametrize(("raw", "message"), BAD.values(), ids=BAD)
def test_says_what_is_wrong_with_a_file(tmp_path, raw, message) -> None:
    (tmp_path / "bad.txt").write_bytes(raw)
    code, out, err = companion(tmp_path, "summarize", "bad.txt")
    assert (code, out) == (2, "")
    assert err.startswith("companion: error: bad.txt: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["summarize", "none.txt"], "none.txt: no such file"),
        (["summarize", ""], "the empty name '': no such file"),
        (["summarize", "."], ".: expected .txt, .md, .jsonl or .csv files, got none"),
        (["summarize", "-", "--json", "--method", "lead"], "--json: expected --method reader"),
        (["importance", "none.jsonl"], "none.jsonl: no such file"),
        (
            ["summarize", "a.txt", "b.txt", "--method", "lead"],
            "expected one file for a rule, got 2",
        ),
        (["summarize", "two\nlines"], "two?lines: "),
        (["summarize", "-"], "standard input: empty; expected some text"),
        (["summarize"], "the following arguments are required: FILE"),
        ([], "the following arguments are required: COMMAND"),
        (["summarize", "-", "-n", "0"], "expected a whole number of at least 1, got '0'"),
        (["summarize", "-", "-n", "two"], "expected a whole number of at least 1, got 'two'"),
        (["summarize", "-", "--method", "x"], "argument --method: invalid choice: 'x'"),
        (["summarize", "-", "--all", "--method", "lead"], "not allowed with argument --all"),
    ],
)
def test_says_what_is_wrong_with_the_arguments(tmp_path, arguments, message) -> None:
    code, out, err = companion(tmp_path, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_rules_take_a_thousand_sentences(tmp_path) -> None:
    (tmp_path / "bad.txt").write_bytes(b"We go. " * 1001)
    code, out, err = companion(tmp_path, "summarize", "bad.txt", "--method", "textrank")
    said = "companion: error: bad.txt: expected at most 1000 sentences, got 1001\n"
    assert (code, out, err) == (2, "", said)


def test_random_bytes_end_in_one_line(tmp_path) -> None:
    (tmp_path / "noise").write_bytes(bytes(range(253, 0, -1)) * 8)
    code, _, err = companion(tmp_path, "summarize", "noise")
    assert code == 2
    assert "not UTF-8: byte 0xfd at offset 0" in err


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_an_endless_file_ends(tmp_path) -> None:
    code, _, err = companion(tmp_path, "summarize", "/dev/zero")
    assert (code, "too long: over 100,000 bytes" in err) == (2, True)


def test_an_ascii_terminal_gets_escapes(tmp_path) -> None:
    code, out, err = companion(
        tmp_path, "summarize", "-", stdin="猫睡觉。".encode(), PYTHONIOENCODING="ascii"
    )
    assert (code, out, err) == (0, "\\u732b\\u7761\\u89c9\\u3002\n", "")
    code, _, err = companion(tmp_path, "summarize", "没有.txt", PYTHONIOENCODING="ascii")
    assert (code, err) == (2, "companion: error: \\u6ca1\\u6709.txt: no such file\n")


@pytest.mark.skipif(os.name == "nt", reason="pipes and signals as on Unix")
def test_a_closed_pipe_is_quiet(tmp_path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "companion", "summarize", "-"],
        input=ENGLISH.encode(),
        stdout=writer,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=environment(),
        timeout=60,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_line(tmp_path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "companion", "summarize", "-"],
            input=ENGLISH.encode(),
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env=environment(),
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == b"companion: error: standard output: No space left on device\n"


@pytest.mark.skipif(os.name == "nt", reason="pipes and signals as on Unix")
def test_ctrl_c_is_quiet(tmp_path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    running = subprocess.Popen(
        [sys.executable, "-m", "companion", "summarize", "fifo"],
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=environment(),
    )
    # Opening for writing succeeds at the moment the command has opened it for reading.
    with open(fifo, "wb"):
        time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (130, b"")


def test_help_and_version(tmp_path) -> None:
    assert companion(tmp_path, "--version") == (0, f"companion {__version__}\n", "")
    code, out, _ = companion(tmp_path, "--help")
    assert (code, "summarize" in out) == (0, True)
    code, out, _ = companion(tmp_path, "summarize", "--help")
    assert (code, "100,000 bytes" in out, "--scores" in out) == (0, True, True)


def test_help_loads_no_library_and_summarize_only_numpy(tmp_path) -> None:
    look = (
        "import sys; from companion.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'torch', 'matplotlib', 'rouge_score'} & set(sys.modules)\n"
        "print(sorted(heavy), file=sys.stderr)"
    )
    for arguments, expected in ((["--help"], "[]"), (["summarize", "-"], "['numpy']")):
        done = subprocess.run(
            [sys.executable, "-c", look, *arguments],
            input=ENGLISH.encode(),
            capture_output=True,
            cwd=tmp_path,
            env=environment(),
            timeout=60,
            check=True,
        )
        assert done.stderr.decode().strip() == expected


# ------------------------------------------------------------------- the reader, many texts


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("news")
    (made / "a.txt").write_text(ENGLISH, encoding="utf-8")
    (made / "b.txt").write_text(CHINESE, encoding="utf-8")
    records = [{"id": i["id"], "content": i["content"]} for i in load_news()[:3]]
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    (made / "c.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (made / "notes.pdf").write_bytes(b"not read")
    return made


def test_a_folder_is_read_file_by_file_and_record_by_record(folder) -> None:
    code, out, err = companion(folder.parent, "summarize", folder.name)
    texts = {f"{folder.name}/a.txt": ENGLISH, f"{folder.name}/b.txt": CHINESE}
    texts |= {item["id"]: item["content"] for item in load_news()[:3]}
    expected = [f"{name}\t{read_news(text).summary}" for name, text in texts.items()]
    assert (code, out.splitlines(), err) == (0, expected, "")


def test_json_holds_what_the_reader_found(folder) -> None:
    code, out, _ = companion(folder, "importance", "a.txt", "--json", "--explain", "--beams", "2")
    record, reading = json.loads(out), read_news(ENGLISH, beams=2, explain=True)
    assert code == 0
    assert record["source"] == "a.txt"
    assert record["importance"] == round(reading.importance, 3)
    assert record["written"] == reading.written
    assert [s["text"] for s in record["sentences"]] == list(reading.sentences)
    assert [s["weight"] for s in record["sentences"]] == pytest.approx(reading.weights, abs=6e-4)
    assert "".join(p["text"] for p in record["pieces"]).replace(" ", "").lower() in (
        reading.written.replace(" ", "").lower()
    )


def test_explain_shows_each_sentence(folder) -> None:
    code, out, _ = companion(folder, "summarize", "b.txt", "--explain")
    assert code == 0
    for sentence in read_news(CHINESE).sentences:
        assert sentence in out


def test_sentences_of_the_reader_are_the_weightiest(folder) -> None:
    code, out, _ = companion(folder, "summarize", "b.txt", "-n", "2")
    reading = read_news(CHINESE)
    best = sorted(range(len(reading.sentences)), key=lambda n: -reading.weights[n])[:2]
    assert (code, out) == (0, "".join(reading.sentences[n] for n in sorted(best)) + "\n")


def test_one_bad_file_does_not_stop_the_others(folder) -> None:
    code, out, err = companion(folder, "importance", "none.txt", "a.txt", "b.txt")
    assert code == 2
    assert err == "companion: error: none.txt: no such file\n"
    assert [line.split("\t")[0] for line in out.splitlines()] == ["a.txt", "b.txt"]


def test_many_texts_on_several_cores_are_answered_in_their_order(tmp_path) -> None:
    """From 16 on, a process a core: what one process says, with a bad one named in between."""
    contents = [item["content"] for item in load_news()[:9] for _ in range(2)]
    contents[4] = "   "
    names = [f"{k:02}.txt" for k in range(18)]
    for name, content in zip(names, contents, strict=True):
        (tmp_path / name).write_text(content, encoding="utf-8")
    code, out, err = companion(tmp_path, "importance", *names, "--beams", "1", "--json")
    found = [json.loads(line) for line in out.splitlines()]
    wanted = [n for n in range(18) if n != 4]
    assert (code, err) == (2, "companion: error: 04.txt: only white space; expected some text\n")
    assert [record["source"] for record in found] == [names[n] for n in wanted]
    readings = [read_news(contents[n], beams=1) for n in wanted]
    assert [r["summary"] for r in found] == [reading.summary for reading in readings]
    importance = [reading.importance for reading in readings]
    assert [r["importance"] for r in found] == pytest.approx(importance, abs=1e-3)
