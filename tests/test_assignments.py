"""The machinery of assignments: what a submission may do, and what every report says."""

import json
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest
import torch

from companion.assignments import ASSIGNMENTS, build, check, compare, report, runner, task
from companion.assignments.command import BadInputError, check_submissions, grade
from companion.assignments.examine import examine
from companion.assignments.executors import Local, Sandbox
from companion.assignments.task import Ref
from companion.cli import main

SOFTMAX = task("attention.softmax")
RIGHT = """import numpy as np
def softmax(scores, axis=-1):
    e = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)
"""


def examined(text, path="s.py", **options):
    box = Sandbox(path, text, **({"timeout_s": 5.0} | options))
    try:
        return examine(SOFTMAX, box), box
    finally:
        box.close()


def body(line, before=""):
    return f"import numpy as np\n{before}\ndef softmax(scores, axis=-1):\n    {line}\n"


def notebook(*cells):
    made = [
        {
            "cell_type": "code",
            "source": cell,
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
        for cell in cells
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


# --------------------------------------------------------------- what strangers' code does


def test_right_submission_gets_all_points():
    result, box = examined(RIGHT)
    assert result
    assert result.earned == SOFTMAX.points
    assert not result.failed
    assert not box.problems


@pytest.mark.parametrize(
    ("line", "mistake"),
    [
        ("return np.ones(50 * 2**27)", "general.memory"),  # 50 GB
        ("import sys; sys.exit(0)", "general.exit"),
        ("import os; os._exit(0)", "general.ended"),
        ("return scores * np.nan", "general.nan"),
        ("return object()", "general.kind"),
        ("return None", "general.none"),
        ("raise NotImplementedError", "general.unwritten"),
        ("return np.zeros(7)", "general.shape"),
        ("return scores.no_such_thing", "general.raises"),
        (
            "from companion.with_numpy import softmax as s; return s(scores, axis=axis)",
            "general.reference",
        ),
        (
            "import importlib as i; return i.import_module('companion.with_numpy').softmax(scores)",
            "general.reference",
        ),
        ("import socket; return socket.create_connection(('127.0.0.1', 9))", "general.forbidden"),
        ("import os; os.system('true'); return scores", "general.forbidden"),
        ("import subprocess; subprocess.run(['true']); return scores", "general.forbidden"),
        (
            "e = np.exp(scores - scores.max(axis=axis, keepdims=True)); scores *= 1.5; "
            "return e / e.sum(axis=axis, keepdims=True)",
            "general.changes-input",
        ),
    ],
)
def test_a_function_that_must_not_pass_is_told_why(line, mistake):
    result, _ = examined(body(line))
    assert not result
    assert result.mistake.id == mistake
    assert result.earned < SOFTMAX.points


def test_reading_the_reference_from_disk_is_refused():
    path = runner.__file__.replace("assignments/runner.py", "with_numpy/softmax.py")
    result, _ = examined(body(f"return len(open({path!r}).read())"))
    assert result.mistake.id == "general.reference"


@pytest.mark.parametrize(
    "before",
    [
        "np.allclose = lambda *a, **k: True",
        "import sys; sys.modules['companion.assignments.compare'] = sys",
        "print('passed'); import atexit; atexit.register(print, 'passed')",
        "import builtins; builtins.abs = lambda x: 0; builtins.all = lambda x: True",
        "import os; os.write(1, b'passed')",
    ],
)
def test_patching_and_printing_change_no_verdict(before):
    assert not examined(body("return scores", before))[0]


def test_forged_answers_end_the_process_and_not_the_grading():
    forge = (
        "import os\n"
        "    for fd in range(3, 64):\n"
        "        try: os.write(fd, b'\\xff' * 64)\n"
        "        except OSError: pass\n"
        "    return scores"
    )
    assert not examined(body(forge))[0]


def test_kept_state_is_found_out():
    kept = "\n    ".join([
        "calls.append(1)",
        "e = np.exp(scores - scores.max(axis=axis, keepdims=True))",
        "return e / e.sum(axis=axis, keepdims=True) + (len(calls) > 12)",
    ])  # fmt: skip
    result, _ = examined(body(kept, "calls = []"))
    assert result.mistake.id == "general.shared-state"
    assert result.earned < SOFTMAX.points


@pytest.mark.slow
def test_a_loop_without_end_is_stopped_once_for_a_task():
    result, _ = examined(body("while True: pass"), timeout_s=1.0)
    assert result.mistake.id == "general.timeout"
    assert len(result.failed) == len(SOFTMAX.cases(np.random.default_rng(0)))


@pytest.mark.parametrize(
    ("text", "path", "problem", "mistake"),
    [
        ("def softmax(scores:\n", "s.py", "SyntaxError", "general.missing"),
        ("import no_such_library\n" + RIGHT, "s.py", "ModuleNotFoundError", "general.missing"),
        ("x = 1\n", "s.py", None, "general.missing"),
        ("def softmax(x):\n    return x\n", "s.py", None, "general.signature"),
        ("from companion.with_numpy import softmax\n", "s.py", "own code", "general.reference"),
        (notebook("1 / 0", RIGHT, "undefined"), "s.ipynb", "cell 1", None),
        (notebook("%matplotlib inline\n!ls\n" + RIGHT, "%%time\nnonsense("), "s.ipynb", None, None),
        (
            notebook("from companion.assignments import check\n" + RIGHT, "check('x', softmax)"),
            "s.ipynb",
            None,
            None,
        ),
    ],
)  # fmt: skip
def test_files_that_load_badly(text, path, problem, mistake):
    result, box = examined(text, path)
    assert (result.mistake.id if result.mistake else None) == mistake
    assert bool(box.problems) == (problem is not None)
    assert problem is None or problem in box.problems[0]


@pytest.mark.slow
def test_torch_submission_is_given_tensors():
    text = "import torch\ndef softmax(scores, axis=-1):\n    return torch.softmax(scores, axis)\n"
    assert examined(text)[0]


# ------------------------------------------------------------------------------ in a notebook


def test_check_prints_the_mistake_the_counter_example_and_hints_when_asked(capsys):
    def softmax(scores, axis=-1):
        e = np.exp(scores)
        return e / e.sum(axis=axis, keepdims=True)

    result = check("attention.softmax", softmax)
    said = capsys.readouterr().out
    assert not result
    assert "no maximum subtracted" in said
    assert "[1000.,  999.]" in said
    assert "nan" in said
    assert "Reread: attention/numerics-and-masks" in said
    assert SOFTMAX.hints[0].en not in said
    check("attention.softmax", softmax, hint=1)
    said = capsys.readouterr().out
    assert SOFTMAX.hints[0].en in said
    assert SOFTMAX.hints[1].en not in said
    check("attention.softmax", softmax, hint=2, language="zh")
    said = capsys.readouterr().out
    assert SOFTMAX.hints[1].zh in said
    assert "没有减去最大值" in said


def test_check_takes_torch_functions(capsys):
    assert check("attention.softmax", lambda scores, axis=-1: torch.softmax(scores, axis))
    assert "12 of 12" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: check("attention.sofmax", abs), r"meant 'attention.softmax'\?"),
        (lambda: check("softmax", abs), "id: expected an assignment"),
        (lambda: check("attention.softmax", abs, language="de"), "language: expected 'en' or 'zh'"),
        (lambda: check("attention.softmax", abs, hint=3), "hint: expected 0, 1 or 2, got 3"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_check_needs_a_function():
    with pytest.raises(TypeError, match="function: expected a function, got int"):
        check("attention.softmax", 3)


# -------------------------------------------------------------------------- on the command line


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "ann.py").write_text(RIGHT)
    (tmp_path / "bo.py").write_text(body("return scores / scores.sum(axis=axis, keepdims=True)"))
    (tmp_path / "cy.ipynb").write_text(notebook(RIGHT))
    return tmp_path


def run(capsys, *arguments):
    code = main(["check", *map(str, arguments), "--assignment", "attention"])
    return code, capsys.readouterr()


def test_formats_hold_the_same_verdicts(folder, capsys):
    code, said = run(capsys, folder / "bo.py", "--format", "json")
    assert code == 1
    first = json.loads(said.out)["tasks"][0]
    assert first["mistake"] == "attention.softmax.no-exponential"
    code, said = run(capsys, folder / "bo.py", "--format", "gradescope")
    board = json.loads(said.out)
    assert board["score"] == sum(one["score"] for one in board["tests"])
    assert {"name", "score", "max_score", "output", "status"} <= set(board["tests"][0])
    code, said = run(capsys, folder / "bo.py", "--format", "junit")
    suite = ET.fromstring(said.out)
    assert int(suite.get("failures")) >= 1
    assert "no-exponential" in said.out
    code, said = run(capsys, folder / "bo.py", "--language", "zh")
    assert "没有取指数" in said.out


def test_a_folder_gives_one_table_with_counts(folder, capsys):
    target = folder / "out.csv"
    code, _ = run(capsys, folder, "--format", "csv", "--output", target)
    rows = target.read_text().splitlines()
    assert code == 1
    assert [row.split(",")[0] for row in rows[:4]] == ["submission", "ann.py", "bo.py", "cy.ipynb"]
    assert "attention.softmax.no-exponential,1" in rows


def test_weights_change_the_points(folder, capsys):
    weights = folder / "weights.json"
    weights.write_text('{"attention.softmax": 3}')
    _, said = run(capsys, folder / "ann.py", "--weights", weights, "--format", "json")
    assert json.loads(said.out)["tasks"][0]["earned"] == 3


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.py", None, "no such file or folder"),
        ("a.txt", "x", "expected a .py or .ipynb file"),
        ("a.ipynb", "{}", "not a notebook"),
        ("a.py", b"\xff\xfe", "cannot be read as UTF-8"),
    ],
)
def test_wrong_files_are_named(tmp_path, capsys, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    code, said = run(capsys, path)
    assert code == 2
    assert message in said.err
    assert len(said.err.splitlines()) == 1


def test_starter_and_solution_are_written_and_nothing_is_overwritten(tmp_path, capsys):
    for name in ASSIGNMENTS:
        if not (name_is_there := name in written_assignments()):
            assert not name_is_there
            continue
        assert main(["starter", name, "--output", str(tmp_path)]) == 0
        assert main(["solution", name, "--output", str(tmp_path)]) == 0
        starter = (tmp_path / f"{name}.py").read_text()
        assert "NotImplementedError" in starter
        assert "SOLUTION" not in starter + (tmp_path / f"{name}.ipynb").read_text()
        assert main(["starter", name, "--output", str(tmp_path)]) == 2
        assert "is there already" in capsys.readouterr().err


def written_assignments():
    import pages

    return {path.parent.name for path in (pages.ROOT / "companion/assignments").glob("*/source.md")}


@pytest.mark.parametrize("name", sorted(written_assignments()))
def test_page_is_the_source_without_solutions(name):
    import pages

    page = (pages.BOOK / "assignments" / f"{name}.md").read_text(encoding="utf-8")
    assert page == build.page(build.source(name)), "run `make notebooks`"
    assert build.BEGIN not in page


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(written_assignments()))
def test_solution_passes_and_starter_is_unwritten(name, tmp_path):
    for solved in (True, False):
        path = tmp_path / f"{name}{solved}.py"
        path.write_text(build.script(build.source(name), solved=solved), encoding="utf-8")
        from companion.assignments import assignment

        _, results, problems = grade(path, assignment(name))
        assert not problems
        assert len(results) >= 1
        for result in results:
            if solved:
                assert result, result
            else:
                assert result.mistake.id == "general.unwritten"


# ------------------------------------------------------------------------------------ the parts


def test_wire_keeps_every_kind():
    tree = {"a": np.arange(6.0).reshape(2, 3), 3: [True, None, "汉字", 1.5, float("inf"), (1, 2)]}
    back = runner.decode(*runner.encode(tree))
    np.testing.assert_array_equal(back["a"], tree["a"])
    assert back[3] == tree[3]
    assert back["a"].dtype == np.float64
    tensor = runner.decode(*runner.encode(torch.ones(2, 3, dtype=torch.bfloat16)))
    assert tensor.dtype == np.float32
    as_tensor = runner.decode(*runner.encode(np.ones(2, np.float32)), tensors=True)
    assert as_tensor.dtype == torch.float32
    with pytest.raises(runner.UnsendableError):
        runner.encode(np.array([object()]))


def test_calls_hand_results_on():
    calls = [("step", (1.0, None), {}), ("step", (2.0, Ref(0, 1)), {})]
    outcomes = runner.run_calls(calls, {"step": lambda x, state: (x, (state or 0) + 1)})
    assert [outcome["value"] for outcome in outcomes] == [(1.0, 1), (2.0, 2)]


@pytest.mark.parametrize(
    ("one", "two", "agree"),
    [
        (np.ones(2), [1.0, 1.0], True),
        (np.ones((2, 1)), [[1], [1]], True),
        (np.ones(2), np.ones((1, 2)), False),
        (1.0, np.asarray(1.0), True),
        ((np.ones(2), np.ones(3)), [np.ones(2), np.ones(3)], True),
        (np.ones(2), np.ones(2) + 1e-5, False),
        (np.ones(2), (np.ones(2) + 1e-5).astype(np.float32), True),
        (np.array([True]), np.array([1]), False),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"b": 1}, False),
        ("x", "x", True),
        (None, 0, False),
        ([[1], [1, 2]], [[1], [1, 2]], True),
    ],
)
def test_what_counts_as_the_same(one, two, agree):
    assert compare.same(one, two, 1e-6) is agree


def test_same_seed_same_cases():
    one, two = (SOFTMAX.cases(np.random.default_rng(1)) for _ in range(2))
    for a, b in zip(one, two, strict=True):
        assert a.name == b.name
        np.testing.assert_array_equal(a.calls[0].arguments[0], b.calls[0].arguments[0])


def test_grading_leaves_no_process_behind(folder):
    before = set(sys.modules)
    with pytest.raises(BadInputError, match="expected more than 0 s"):
        check_submissions(
            type("Options", (), {"timeout": 0.0, "memory": 4096, "assignment": "attention"})
        )
    box = Sandbox("s.py", RIGHT)
    process = box.process
    box.close()
    assert process.returncode is not None
    assert "submission" not in set(sys.modules) - before


def test_local_hands_over_copies():
    x = np.arange(3.0)
    seen = Local({"softmax": lambda scores, axis=-1: scores.fill(0)})
    seen.run(SOFTMAX.cases(np.random.default_rng(0))[0].calls)
    np.testing.assert_array_equal(x, [0, 1, 2])


# ------------------------------------------------------------------- ways round, ways to break it

READS = f"""
import os, sys, numpy as np
FOLDER = {str(runner.__file__).removesuffix("/assignments/runner.py")!r}
REF = FOLDER + "/with_numpy/softmax.py"
{{way}}
def softmax(scores, axis=-1):
    e = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)
"""


@pytest.mark.parametrize(
    "way",
    [
        "os.path.realpath = lambda path: '/'; open(REF)",
        "import builtins; builtins.isinstance = lambda *a: False; open(REF)",
        "os.open('with_numpy/softmax.py', 0, dir_fd=os.open(FOLDER, 0))",
        "os.link(REF, 'copy')",
        "import ctypes; ctypes.CDLL(None).open(REF.encode(), 0)",
        "import gc; gc.get_objects()",
        "import _posixsubprocess; _posixsubprocess.fork_exec(*[None] * 23)",
        "import multiprocessing as m; m.get_context('spawn').Pool(1)",
        "import readline; readline.read_history_file(REF)",
        "sys.meta_path[0].allowed = ('companion.with_numpy',); import companion.with_numpy",
        "open(os.path.expanduser('~/left-behind'), 'w')",
        "open(np.__file__, 'a')",
        "os.listdir(f'/proc/{os.getppid()}/fd')",
        "os.scandir(f'/proc/self/../{os.getppid()}')",
        "os.chdir(f'/proc/{os.getppid()}')",
        "os.listdir(os.open(f'/proc/{os.getppid()}/fd', 0))",
        "open(f'/proc/self/root{REF}')",
    ],
)
def test_ways_round_the_fence_are_refused(way):
    # What follows the refused line is not run: a submission that got through would pass.
    _, box = examined(READS.format(way=way))
    assert box.problems
    refused = ("not needed", "reference", "own code", "Permission denied", "ended by itself")
    assert any(words in box.problems[0] for words in refused), box.problems


FROM_FILE = "import torch; data = bytes(torch.from_file({file}, size=400, dtype=torch.uint8))"


@pytest.mark.slow
@pytest.mark.parametrize(
    "file",
    [
        "REF",
        "FOLDER + '/assignments/attention/source.md'",
        "FOLDER + '/../tests/submissions/attention.py'",
        "f'/proc/{os.getppid()}/environ'",
    ],
)
def test_the_kernel_keeps_files_closed_that_a_library_opens(file):
    box = Sandbox("s.py", READS.format(way=FROM_FILE.format(file=file)), timeout_s=20.0)
    box.close()
    if not box.locked:
        pytest.skip("this kernel has no Landlock")
    assert len(box.problems) == 1
    assert "unable to open file" in box.problems[0]


def test_the_lock_lets_libraries_in_and_nothing_else():
    text = "import os, math, json, decimal, sqlite3, email.message, numpy.fft\n" + RIGHT
    result, box = examined(text)
    assert result
    assert not box.problems
    if box.locked:
        _, box = examined("open('/etc/hostname').close(); import os; os.execv('/bin/true', ['x'])")
        assert "not needed" in box.problems[0]
        _, box = examined(f"open({str(__file__)!r})")
        assert "Permission denied" in box.problems[0]


@pytest.mark.parametrize(
    ("before", "value"),
    [
        ("import __main__; __main__.answer = lambda *a: []", "scores"),
        ("import __main__; __main__.answer = lambda *a: [{'error': ['x']}]", "scores"),
        ("import __main__; __main__.answer = lambda *a: [{'value': 1, 'changed': []}] * 9", "1"),
        ("import __main__; a = __main__.Given(1.0)", "a"),
        ("", "'\\ud800'"),
        ("", "{np.int64(1): 1}"),
        ("", "[np.int64(1)] * 20_000"),
        ("", "[1] * 200_000"),
        ("a = []\nfor _ in range(2000): a = [a]", "a"),
        ("class A(float):\n    def hex(self): return 'x'", "A(1)"),
        ("class A(Exception):\n    def __str__(self): raise self", "(_ for _ in ()).throw(A())"),
        ("class A(Exception): pass", "(_ for _ in ()).throw(A('\\ud800\\x1b[2J\\n10 of 10'))"),
    ],
)
def test_no_answer_breaks_the_grading(before, value):
    result, box = examined(body(f"return {value}", before))
    assert not result
    for form in (report.as_json, report.as_junit, report.as_gradescope):
        assert "\x1b" not in form("s.py", [result], box.problems).encode().decode()
    assert len(report.text(result)) < 10_000


def test_files_may_be_written_in_a_folder_that_goes_away():
    text = "open('notes.txt', 'w').write('x')\nimport tempfile; tempfile.mkdtemp()\n" + RIGHT
    result, box = examined(text)
    assert result
    assert not box.problems


@pytest.mark.slow
def test_torch_layers_of_single_precision_are_right_answers():
    def layer(inputs, weight, bias):
        unit = torch.nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            unit.weight.copy_(weight)
            unit.bias.copy_(bias)
        return torch.relu(unit(inputs))

    found = task("neuron.layer")
    assert examine(found, Local({**found.reference, "layer": layer}, 20.0))


def test_a_cache_may_be_an_object():
    class Cache:
        def __init__(self, keys, values):
            self.keys, self.values = keys, values

    def attend_step(query, key, value, cache=None):
        keys, values = key[..., None, :], value[..., None, :]
        if cache is not None:
            keys = np.concatenate([cache.keys, keys], -2)
            values = np.concatenate([cache.values, values], -2)
        scores = (keys @ query[..., None])[..., 0] / np.sqrt(key.shape[-1])
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights = weights / weights.sum(-1, keepdims=True)
        return (weights[..., None, :] @ values)[..., 0, :], Cache(keys, values)

    found = task("decoding.cache")
    assert examine(found, Local({**found.reference, "attend_step": attend_step}, 20.0))


# --------------------------------------------------------------------- what a report may not say


def test_gradescope_is_told_what_could_not_be_read(tmp_path, capsys):
    target = tmp_path / "results.json"
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.ipynb").write_text("{}")
    for place, said in (
        ("gone.py", "no such file"),
        ("empty", "got none"),
        ("broken.ipynb", "not a"),
    ):
        code, _ = run(capsys, tmp_path / place, "--format", "gradescope", "--output", target)
        board = json.loads(target.read_text())
        assert code == 2
        assert said in board["output"]
        assert board["score"] == sum(one["score"] for one in board["tests"]) == 0
        assert sum(one["max_score"] for one in board["tests"]) == 40
        target.unlink()


def test_loading_has_a_limit_of_its_own(tmp_path, capsys):
    (tmp_path / "slow.py").write_text("while True: pass")
    code, said = run(capsys, tmp_path / "slow.py", "--loading", "0.5", "--timeout", "5")
    assert code == 1
    assert "while the file was loaded: no answer within 0.5 s" in said.out


def test_half_precision_is_no_excuse():
    assert not compare.same(np.full(2, 1.0), np.full(2, 1.001, np.float16), 1e-5)
    assert compare.same(np.full(2, 1.0, np.float16), np.full(2, 1.001), 1e-5)
    text = RIGHT.replace("    e =", "    scores = scores.astype(np.float16)\n    e =", 1)
    assert not examined(text)[0]


def test_a_weight_that_is_nearly_0_is_shown_with_its_digits(capsys):
    found = task("decoding.next-weights")

    def next_weights(*given, **options):
        weights = found.reference["next_weights"](*given, **options)
        return np.where(weights == 0, 1e-9, weights)

    result = check("decoding.next-weights", next_weights)
    assert not result
    assert "1.e-09" in capsys.readouterr().out


def test_the_report_in_chinese_has_no_english_names(capsys):
    check("attention.softmax", lambda scores, axis=-1: scores, language="zh")
    said = capsys.readouterr().out
    assert "数值稳定性" in said
    assert "最小的反例 (两个得分)" in said
    assert "形状 (2,)" in said
    assert "shape" not in said


def test_several_results_are_told_apart():
    assert compare.shape((np.ones(3), [1, 2, 3])) == "shape (3,) and list of 3"
    assert compare.shape((np.ones((2, 3)), np.ones((2, 3)))) == "shape (2, 3) and shape (2, 3)"
    assert compare.shape([1, 2], "zh") == "长度为 2 的列表"


def test_errors_alone_make_no_named_mistake():
    def block(x, mix, params):
        raise ValueError("operands could not be broadcast together")

    found = task("transformer.block")
    result = examine(found, Local({"block": block}, 20.0))
    assert result.mistake.id == "general.raises"


def test_the_counter_example_shows_the_mistake_that_is_named():
    def softmax(scores, axis=-1):  # two slips: columns, and one that only large scores show
        if scores.ndim == 1:
            return np.exp(scores) / np.exp(scores).sum()
        e = np.exp(scores - scores.max(axis=axis, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    result = examine(SOFTMAX, Local({"softmax": softmax}, 20.0))
    assert result.mistake.id == "general.nan"
    assert np.isnan(result.failure.got["value"]).any()


def test_results_of_two_parts_name_one_of_two_slips():
    found = task("attention.attention")

    def attention(query, key, value, mask=None):  # not scaled; and nothing hidden from small ones
        scores = query @ np.swapaxes(key, -1, -2)
        if mask is not None and scores.size > 6:
            scores = np.where(mask, scores, -1.0)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights = weights / weights.sum(-1, keepdims=True)
        return weights @ value, weights

    result = examine(found, Local({**found.reference, "attention": attention}, 20.0))
    assert result.mistake.id == "attention.attention.missing-root"
