"""The process in which a submission runs: it gets inputs, gives back results, and knows no answers.

This file is started on its own (`python -I runner.py`), imports nothing of the project, and talks
to its parent over two pipes: a request or an answer is a length, a JSON header and raw numbers.
Nothing is unpickled, so a submission cannot send code to the parent.

It is also where both sides find the pieces they share: `encode`, `decode`, `run_calls`, `Given`.
"""

import contextlib
import inspect
import io
import json
import os
import re
import struct
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np

Namespace = Mapping[str, Any]
MOST_BYTES = 256 * 2**20  # of one result
MOST_HEADER = 2**26  # bytes of JSON; a submission alone may need 2**25
MOST_ITEMS, MOST_NESTED = 100_000, 30  # of the lists and dicts of one result


class Ref:
    """The place of an argument that an earlier call of the same case returned."""

    def __init__(self, call: int, *path: int | str) -> None:
        self.call, self.path = call, path


class Given:
    """A language model to decode from: a table, so small that every sequence can be counted.

        logits(ids) = table[last id] + memory · Σ table[earlier ids]

    Called with ids (T,) or (B, T), T ≥ 1; returns logits (V,) or (B, V).
    """

    def __init__(self, table: Any, memory: float = 0.0) -> None:
        self.table, self.memory = table, memory

    def __call__(self, ids: Any) -> Any:
        """The logits of the next token."""
        table = self.table
        if not isinstance(table, np.ndarray):  # a torch submission: indexing reads lists
            ids = ids.long() if hasattr(ids, "long") else ids
        else:
            ids = np.asarray(ids)
        rows = table[ids]  # (..., T, V)
        return rows[..., -1, :] + self.memory * rows[..., :-1, :].sum(-2)


class UnsendableError(Exception):
    """A result of a kind that no task asks for."""


# ------------------------------------------------------------------------------- the wire


def encode(tree: Any) -> tuple[bytes, list[bytes]]:
    """A tree of arrays, tensors, numbers, texts, lists, tuples and dicts as JSON and raw bytes."""
    blobs: list[bytes] = []
    return json.dumps(_packed(tree, blobs)).encode(), blobs


def decode(header: bytes, blobs: list[bytes], tensors: bool = False) -> Any:
    """What `encode` was given; arrays become torch tensors if asked for."""
    return _unpacked(json.loads(header), blobs, tensors)


def send(stream: BinaryIO, tree: Any) -> None:
    """Write one message."""
    header, blobs = encode(tree)
    sizes = [len(header), *map(len, blobs)]
    stream.write(struct.pack(f"<I{len(sizes)}Q", len(sizes), *sizes))
    stream.writelines([header, *blobs])
    stream.flush()


def receive(stream: BinaryIO, tensors: bool = False) -> Any:
    """Read one message; EOFError if the other side has gone."""
    (count,) = struct.unpack("<I", _read(stream, 4))
    if not 1 <= count <= 10_000:
        raise EOFError("not a message")
    sizes = struct.unpack(f"<{count}Q", _read(stream, 8 * count))
    if sum(sizes) > 2 * MOST_BYTES or sizes[0] > MOST_HEADER:
        raise EOFError("a message too long")
    header, *blobs = [_read(stream, size) for size in sizes]
    return decode(header, blobs, tensors)


def _read(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError("the other side has gone")
    return data


def _packed(tree: Any, blobs: list[bytes]) -> Any:
    if tree is None or isinstance(tree, bool | str):
        return tree
    if isinstance(tree, int) and abs(tree) < 2**63:
        return tree
    if isinstance(tree, float):
        return {"f": float.hex(tree)}
    if isinstance(tree, Ref):
        return {"ref": [tree.call, *tree.path]}
    if isinstance(tree, Given):
        return {"given": [_packed(tree.table, blobs), float(tree.memory)]}
    if isinstance(tree, dict):
        return {"d": [[_packed(key, blobs), _packed(tree[key], blobs)] for key in tree]}
    if isinstance(tree, np.generic) and tree.dtype.kind in "biu":
        return _packed(tree.item(), blobs)  # it may be the key of a dict, or one of many
    if isinstance(tree, list | tuple):
        # a named tuple comes back as a tuple
        return {"t" if isinstance(tree, tuple) else "l": [_packed(item, blobs) for item in tree]}
    torch = sys.modules.get("torch")
    tensor = torch is not None and isinstance(tree, torch.Tensor)
    if tensor:
        tree = tree.detach().cpu()
        tree = tree.float() if str(tree.dtype) == "torch.bfloat16" else tree
    if tensor or isinstance(tree, np.ndarray | np.generic):
        array = np.asarray(tree)
        if array.dtype.kind not in "biuf" or array.nbytes > MOST_BYTES:
            raise UnsendableError(f"an array of {array.dtype} with {array.nbytes} bytes")
        blobs.append(np.ascontiguousarray(array).tobytes())
        return {"a": [len(blobs) - 1, array.dtype.str, list(array.shape), tensor]}
    raise UnsendableError(f"a value of type {type(tree).__name__}")


def _unpacked(node: Any, blobs: list[bytes], tensors: bool) -> Any:
    if not isinstance(node, dict):
        return node
    ((kind, value),) = node.items()
    if kind == "f":
        return float.fromhex(value)
    if kind == "ref":
        return Ref(*value)
    if kind == "given":
        return Given(_unpacked(value[0], blobs, tensors), value[1])
    if kind == "d":
        return {_unpacked(k, blobs, False): _unpacked(v, blobs, tensors) for k, v in value}
    if kind in "lt":
        items = [_unpacked(item, blobs, tensors) for item in value]
        return tuple(items) if kind == "t" else items
    index, dtype, shape, _ = value
    if np.dtype(dtype).kind not in "biuf":
        raise EOFError("not numbers")
    array = np.frombuffer(blobs[index], dtype).reshape(shape).copy()
    return sys.modules["torch"].from_numpy(array) if tensors else array


# --------------------------------------------------------------------- calling a submission


def run_calls(calls: list[Any], functions: Namespace) -> list[Any]:
    """Make the calls of one case in order; say of each what came back.

    calls (name, arguments, keyword arguments), where a `Ref` stands for an earlier result
    Returns for each call {"value"}, with {"changed"} naming the arguments it wrote into, or
    {"error", "message", "line"}; what follows an error is not called.
    """
    values: list[Any] = []
    outcomes: list[Any] = []
    for name, arguments, keywords in calls:
        outcome, value = _call(name, arguments, keywords, functions, values)
        outcomes.append(outcome)
        values.append(value)
        if "error" in outcome:
            break
    return outcomes


def _call(
    name: str, arguments: Any, keywords: Any, functions: Namespace, values: list[Any]
) -> tuple[dict[str, Any], Any]:
    function = functions.get(name)
    if not callable(function):
        what = "missing" if function is None else "not callable"
        return {"error": "Missing", "message": f"{name} is {what}", "line": None}, None
    try:
        arguments, keywords = _resolved((arguments, keywords), values)
    except (IndexError, KeyError, TypeError) as error:
        return {"error": "Structure", "message": str(error), "line": None}, None
    problem = _does_not_fit(function, arguments, keywords)
    if problem:
        return {"error": "Signature", "message": problem, "line": None}, None
    before = _leaves((arguments, keywords))
    try:
        value = function(*arguments, **keywords)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: it must not end the examination
        return _failure(error), None
    changed = [key for key, array, copy in before if not _equal(array, copy)]
    return {"value": value, "changed": changed}, value


def _does_not_fit(function: Callable[..., Any], arguments: Any, keywords: Any) -> str:
    try:
        signature = inspect.signature(function)
    except Exception:  # a class may answer with an error of its own
        return ""
    try:
        signature.bind(*arguments, **keywords)
    except TypeError as error:
        return f"{error}; the signature is {getattr(function, '__name__', '')}{signature}"
    return ""


def _resolved(tree: Any, values: list[Any]) -> Any:
    if isinstance(tree, Ref):
        found = values[tree.call]
        for step in tree.path:
            found = found[step]
        return found
    if isinstance(tree, dict):
        return {key: _resolved(value, values) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(_resolved(item, values) for item in tree)
    return tree


def _leaves(tree: Any, key: str = "argument") -> list[tuple[str, Any, Any]]:
    """(path, array, copy) of every array and list among the arguments."""
    if isinstance(tree, dict):
        return [leaf for name in tree for leaf in _leaves(tree[name], f"{key}[{name!r}]")]
    if isinstance(tree, list | tuple):
        found = [leaf for at, item in enumerate(tree) for leaf in _leaves(item, f"{key} {at}")]
        return found if isinstance(tree, tuple) else [*found, (key, tree, list(tree))]
    if isinstance(tree, np.ndarray):
        return [(key, tree, tree.copy())]
    if hasattr(tree, "detach") and hasattr(tree, "clone"):
        return [(key, tree, tree.detach().clone())]
    return []


def _equal(array: Any, copy: Any) -> bool:
    if isinstance(array, list):
        return len(array) == len(copy) and all(a is b for a, b in zip(array, copy, strict=True))
    array = array.detach() if hasattr(array, "detach") else array
    return bool(
        tuple(array.shape) == tuple(copy.shape)
        and np.array_equal(
            np.asarray(array), np.asarray(copy), equal_nan=np.asarray(copy).dtype.kind == "f"
        )
    )


def _failure(error: BaseException) -> dict[str, Any]:
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith("<submission") or "ipykernel" in frame.filename
    ]
    where = None
    if frames:
        name = frames[-1].filename
        name = name.strip("<>") if name.startswith("<") else "this notebook"
        where = f"{name}, line {frames[-1].lineno}"
    try:
        message = str(error)[:500]
    except BaseException:  # also an answer of the submission
        message = "(its text cannot be shown)"
    return {"error": str(type(error).__name__), "message": message, "line": where}


# ------------------------------------------------------------------------- the child process


def sources(path: str, text: str) -> list[tuple[str, str]]:
    """The (name, code) of a script, or of each code cell of a notebook without its magics."""
    if not path.endswith(".ipynb"):
        return [("submission", text)]
    found = []
    for number, cell in enumerate(json.loads(text)["cells"]):
        if cell.get("cell_type") == "code":
            code = "".join(cell["source"])
            code = "" if code.lstrip().startswith("%%") else code
            code = re.sub(r"^(\s*)[%!?].*$", r"\1pass", code, flags=re.M)
            found.append((f"submission, cell {number + 1}", code))
    return found


def load(path: str, text: str) -> tuple[dict[str, Any], list[str]]:
    """Run the submission; give its names, and what went wrong in which cell."""
    names: dict[str, Any] = {"__name__": "submission"}
    module = ModuleType("submission")
    module.__dict__.update(names)
    sys.modules["submission"] = module
    problems = []
    for name, code in sources(path, text):
        try:
            exec(compile(code, f"<{name}>", "exec"), module.__dict__)
        except KeyboardInterrupt:
            raise
        except SyntaxError as error:
            problems.append(f"{name}, line {error.lineno}: {type(error).__name__}: {error.msg}")
        except BaseException as error:
            found = _failure(error)
            where = found["line"] or name
            problems.append(f"{where}: {found['error']}: {found['message']}")
    return module.__dict__, problems


def limit(memory_mb: int) -> None:
    """Cap the memory of this process where the platform can."""
    try:
        import resource
    except ImportError:
        return
    size = memory_mb * 2**20
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    size = size if hard == resource.RLIM_INFINITY else min(size, hard)
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def fence(package: str, allowed: Sequence[str]) -> bool:
    """Refuse what an answer does not need: the reference, the network, other processes.

    Files may be written in the working folder only.

    package the folder of `companion`   allowed its modules that the task lets a submission use
    Returns whether the kernel refuses too (`lock`). The audit hook cannot be taken off again by
    code that runs later, but a library that opens files in C asks no hook.
    """
    folder = os.path.realpath(package) + os.sep
    files = [
        os.path.join(folder, *name.split(".")[1:]) for name in ("companion.__init__", *allowed)
    ]
    # A stand-in for the package, found wherever it lies, without its own first lines.
    stand_in = ModuleType("companion")
    stand_in.__path__ = [folder]
    stand_in.__dict__["assignments"] = sys.modules["companion.assignments"] = _no_checks()
    sys.modules["companion"] = stand_in
    sys.meta_path.insert(0, _Fence(allowed))

    # The hook holds all that it needs: a submission may put its own `isinstance` into builtins,
    # or its own `realpath` into os. Files are known by number, whatever name leads to them.
    stat, cwd, frame, absolute = os.stat, os.getcwd, sys._getframe, os.path.isabs
    decode_name, denied, not_there = os.fsdecode, PermissionError, (OSError, ValueError, TypeError)
    no_import, not_allowed = ImportError, _not_allowed
    refused, modules = REFUSED, REFUSED_MODULES
    scratch, separator, nowhere = cwd() + os.sep, os.sep, os.devnull
    writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    normal, own = os.path.normpath, ("self", "thread-self", str(os.getpid()))
    allowed = tuple(allowed)
    hidden, seen = set(), []
    for copy in _copies(folder):
        for place, _, names in os.walk(copy):
            for path in (place, *(os.path.join(place, name) for name in names)):
                about = os.stat(path)
                if path.startswith(tuple(files)):
                    seen.append(path)
                else:
                    hidden.add((about.st_dev, about.st_ino))

    def located(name: str) -> tuple[str, bool]:
        """The whole name, and whether it lies in the working folder."""
        full = name if absolute(name) else cwd() + separator + name
        return full, full.startswith(scratch) and ".." not in full

    def of_its_own(full: str, name: str) -> None:
        """Of /proc nothing of another process, and of this one no way round."""
        full = normal(full)
        if full != "/proc" and not full.startswith("/proc/"):
            return
        parts = full.split("/")[2:] or [""]
        other = parts[0].isdigit() and parts[0] not in own
        if other or (parts[0] in own and {"mem", "environ", "root", "cwd", "task"} & {*parts[1:]}):
            raise denied(f"{name!r}: not needed, and not allowed here")

    def opened(path: Any, mode: Any, flags: int) -> None:
        if path.__class__ is int:
            return
        name = decode_name(path)
        if mode is None and not absolute(name):
            raise denied(f"{name!r}: the reference may not be read by way of its folder")
        try:
            about = stat(path)
            if (about.st_dev, about.st_ino) in hidden:
                raise denied(f"{name!r}: the reference may not be read")
        except denied:
            raise
        except not_there:
            pass
        full, inside = located(name)
        of_its_own(full, name)
        if flags & writes and not inside and name != nowhere:
            raise denied(f"{name!r}: not needed, and not allowed here")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            opened(*arguments)
        elif event in ("os.listdir", "os.scandir", "os.chdir") and arguments:
            if arguments[0].__class__ is not int and arguments[0] is not None:
                name = decode_name(arguments[0])
                of_its_own(located(name)[0], name)
        elif event == "os.remove" and arguments[1] == -1 and located(decode_name(arguments[0]))[1]:
            return  # `tempfile` tries its folder with a file of its own
        elif event == "import":
            if arguments[0] in modules:
                raise no_import(f"{arguments[0]}: not needed, and not allowed here")
            if not_allowed(arguments[0], allowed):
                raise no_import(f"{arguments[0]}: this task asks for your own code")
        elif event.startswith("ctypes.dl"):
            caller: Any = frame(1)  # a library may load its own parts
            while caller is not None and "ctypes" in caller.f_code.co_filename:
                caller = caller.f_back
            if caller is not None and caller.f_code.co_filename.startswith("<submission"):
                raise denied(f"{event}: not needed, and not allowed here")
        elif event.startswith(refused):
            raise denied(f"{event}: not needed, and not allowed here")

    _no_other_process()
    locked = lock([folder, *_copies(folder)], cwd(), seen)
    sys.addaudithook(hook)
    return locked


def _copies(folder: str) -> list[str]:
    """The package's folder, and every other copy of it that Python would find."""
    found = (os.path.join(os.path.realpath(place), "companion", "") for place in sys.path if place)
    return list(dict.fromkeys([folder, *(one for one in found if os.path.isdir(one))]))


CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # Linux, all machines
PATH_BENEATH, NO_NEW_PRIVS = 1, 38
READ_FILE, READ_FOLDER, WRITE_FILE, TRUNCATE, IOCTL = 1 << 2, 1 << 3, 1 << 1, 1 << 14, 1 << 15
FILE_RIGHTS = READ_FILE | WRITE_FILE | TRUNCATE | IOCTL
RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}  # number of rights over files by the kernel's version of it
NEEDED = ("/usr", "/lib", "/lib64", "/etc", "/opt", "/nix", "/gnu", "/snap", "/dev", "/sys")


def lock(hidden: Sequence[str], scratch: str, seen: Sequence[str] = ()) -> bool:
    """Let the kernel (Linux 5.13 and later, Landlock) refuse files, programs and connections.

    What may be read: Python, its libraries, the system's folders, and what is named in seen; not
    what is hidden, whatever library or call asks. Other processes can't be looked into. Only
    scratch can be written.

    hidden folders, scratch and seen whole names
    Returns False where the kernel can't.
    """
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    system = ctypes.CDLL(None, use_errno=True)
    version = system.syscall(CREATE_RULESET, None, 0, 1)
    if version < 1:
        return False
    rights = (1 << RIGHTS.get(version, 16)) - 1
    asked = struct.pack("QQQ", rights, 3, 3)[: 24 if version > 5 else 16 if version > 3 else 8]
    ruleset = system.syscall(CREATE_RULESET, asked, len(asked), 0)
    if ruleset < 0:
        return False

    def allow(path: str, right: int) -> None:
        try:
            place = os.open(path, getattr(os, "O_PATH", 0) | os.O_CLOEXEC)
        except OSError:
            return
        right &= rights if os.path.isdir(path) else rights & FILE_RIGHTS
        system.syscall(ADD_RULE, ruleset, PATH_BENEATH, struct.pack("=Qi", right, place), 0)
        os.close(place)

    reads = READ_FILE | READ_FOLDER
    stem = [part.rstrip(os.sep) for part in hidden]

    def read(path: str) -> None:
        """All beneath a folder but what is hidden."""
        if path in stem:
            return
        if any(one.startswith(path.rstrip(os.sep) + os.sep) for one in stem):
            allow(path, READ_FOLDER)  # `import` lists what lies beside the hidden folder
            for name in os.listdir(path):
                below = os.path.join(path, name)
                if not os.path.islink(below):  # what it leads to has a rule of its own, or none
                    read(below)
        else:
            allow(path, reads)

    for path in _libraries():
        read(path)
    for path in (*seen, *_of_this_process()):
        allow(path, reads)
    allow(scratch, rights & ~1)  # all but running programs
    allow(os.devnull, FILE_RIGHTS)
    done = not system.prctl(NO_NEW_PRIVS, 1, 0, 0, 0)
    done = done and not system.syscall(RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return bool(done)


def _libraries() -> list[str]:
    """Where Python and its libraries lie; not a checkout that holds the hidden folder."""
    roots = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    roots |= {os.path.dirname(os.path.realpath(sys.executable))}
    roots |= {*NEEDED, *os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)}
    roots |= {place for place in sys.path if not _is_checkout(place)}
    found = {os.path.realpath(root) for root in roots if root}
    return sorted(root for root in found if os.path.exists(root) and root != os.sep)


def _of_this_process() -> list[str]:
    """What lies in /proc, less the folders of other processes."""
    with contextlib.suppress(OSError):
        return [f"/proc/{name}" for name in os.listdir("/proc") if not name.isdigit()]
    return []


def _is_checkout(place: str) -> bool:
    return any(os.path.exists(os.path.join(place, name)) for name in ("pyproject.toml", ".git"))


class _Fence:
    """Refuses the modules of companion that the task does not allow, however they are asked for."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self.allowed = tuple(allowed)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """None for what may be looked for elsewhere."""
        if _not_allowed(name, self.allowed):
            raise ImportError(f"{name}: this task asks for your own code")


def _not_allowed(name: str, allowed: Sequence[str]) -> bool:
    return name.startswith("companion.") and not any(
        name == one or name.startswith(f"{one}.") or one.startswith(f"{name}.")
        for one in (*allowed, "companion.assignments")
    )


REFUSED = (
    "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "subprocess.",
    "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.kill", "os.remove",
    "os.rename", "os.rmdir", "os.startfile", "pty.spawn", "signal.pthread_kill", "shutil.rmtree",
    "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown", "resource.prlimit", "gc.",
    "cpython.PyInterpreterState_New",
)  # fmt: skip
REFUSED_MODULES = frozenset(("readline", "_xxsubinterpreters", "_interpreters"))


def _no_other_process() -> None:
    """Close the way to a new process that no audit event tells of."""
    try:
        import _posixsubprocess
    except ImportError:
        return

    def fork_exec(*arguments: Any) -> int:
        raise PermissionError("fork_exec: not needed, and not allowed here")

    _posixsubprocess.fork_exec = fork_exec
    if "subprocess" in sys.modules:
        sys.modules["subprocess"].__dict__["_fork_exec"] = fork_exec


def _no_checks() -> ModuleType:
    """A stand-in, so that a notebook's own calls of `check` do nothing."""
    module = ModuleType("companion.assignments")
    module.__dict__["check"] = lambda *arguments, **keywords: None
    return module


def main() -> None:
    """Serve requests until the parent closes the pipe."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    sys.stdin, sys.stdout, sys.stderr = io.StringIO(), io.StringIO(), io.StringIO()
    order = receive(requests)
    limit(order["memory_mb"])
    sys.dont_write_bytecode = True
    locked = fence(order["package"], order["allowed"])
    names, problems = load(order["path"], order["text"])
    send(answers, {"problems": problems, "torch": "torch" in sys.modules, "locked": locked})
    while True:
        try:
            request = receive(requests)
        except EOFError:
            os._exit(0)
        send(answers, answer(request, names))


def answer(request: Any, names: Namespace) -> Any:
    """The outcomes of one case, in a form that can be sent."""
    tensors = request["tensors"]
    if tensors:
        import torch  # noqa: F401  # so that `decode` finds it
    calls = decode(*encode(request["calls"]), tensors=tensors)
    try:
        outcomes = run_calls(calls, names)
    except BaseException as error:
        return [_failure(error)]
    return [sendable(outcome) for outcome in outcomes]


def sendable(outcome: dict[str, Any]) -> dict[str, Any]:
    """The outcome, with a word in place of each part of the result that can't be sent.

    A part, since only some of a result may be looked at: what a cache looks like is not asked.
    """
    if "value" not in outcome:
        return outcome
    return {**outcome, "value": _sendable(outcome["value"], [0])}


def _sendable(tree: Any, count: list[int], depth: int = 0) -> Any:
    count[0] += 1
    if depth > MOST_NESTED or count[0] > MOST_ITEMS:
        return {"opaque": "a value nested too deeply or with too many items"}
    if isinstance(tree, list | tuple):
        items = []
        for item in tree:
            items.append(_sendable(item, count, depth + 1))
            if count[0] > MOST_ITEMS:
                return items[-1]
        return tuple(items) if isinstance(tree, tuple) else items
    if tree is None or isinstance(tree, bool | float):
        return tree
    try:
        if isinstance(tree, dict):
            for key in tree:
                encode(key)
            return {key: _sendable(tree[key], count, depth + 1) for key in tree}
        encode(tree)
    except (UnsendableError, RecursionError, OverflowError) as error:
        return {"opaque": str(error)}
    return tree


if __name__ == "__main__":
    main()
