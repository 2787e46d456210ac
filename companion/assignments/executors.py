"""Where a submission's functions are called: here, or in a process of their own with limits.

Both have `run(calls)`, which returns the outcomes of `runner.run_calls`, and `close()`.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from companion.assignments import runner
from companion.assignments.compare import printable
from companion.assignments.task import Call

LOADING_S = 60.0  # importing torch alone can take ten seconds on a busy machine
PACKAGE = Path(__file__).resolve().parent.parent
Outcomes = list[dict[str, Any]]


class Local:
    """Functions of this process: a notebook's own, the reference, a known mistake."""

    def __init__(self, functions: runner.Namespace, timeout_s: float | None = None) -> None:
        self.functions, self.timeout_s = functions, timeout_s

    def run(self, calls: tuple[Call, ...], *, tensors: bool = False) -> Outcomes:
        """The outcomes of the calls; arguments are copies, as tensors if asked for."""
        if tensors:
            import torch  # noqa: F401
        copies = runner.decode(*runner.encode(_plain(calls)), tensors=tensors)
        with _alarm(self.timeout_s), np.errstate(all="ignore"):
            outcomes = runner.run_calls(copies, self.functions)
        found: Outcomes = runner.decode(*runner.encode([runner.sendable(o) for o in outcomes]))
        return found

    def close(self) -> None:
        """Nothing to let go of."""


class Sandbox:
    """A submission in a process of its own, without the reference, the network or a second process.

    path, text of the submission   allowed modules of companion it may import
    timeout_s for one case   loading_s for loading it   memory_mb of address space

    A process that hangs or dies is replaced by a new one for the next case, three times at most.
    """

    def __init__(
        self, path: str, text: str, *, allowed: tuple[str, ...] = (), timeout_s: float = 10.0,
        memory_mb: int = 4096, loading_s: float = LOADING_S,
    ) -> None:  # fmt: skip
        self.order = {
            "path": path, "text": text, "package": str(PACKAGE), "allowed": list(allowed),
            "memory_mb": memory_mb,
        }  # fmt: skip
        self.timeout_s, self.loading_s = timeout_s, loading_s
        self.problems: list[str] = []
        self.uses_torch = False
        self.locked = False  # whether the kernel keeps the files closed
        self.starts_left = 4
        self.process: subprocess.Popen[bytes] | None = None
        self.ended = ""  # why it can't be started again
        self._start()

    def run(self, calls: tuple[Call, ...], *, tensors: bool = False) -> Outcomes:
        """The outcomes of the calls; one of kind "Ended" or "Timeout" if there was no answer."""
        if self.process is None:
            self._start()
        if self.process is None:
            return [_ended("Ended", self.ended)]
        answer = self._ask(
            self.process, {"calls": _plain(calls), "tensors": tensors}, self.timeout_s, len(calls)
        )
        return answer if isinstance(answer, list) else [answer]

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if os.name == "posix":
                    os.killpg(self.process.pid, signal.SIGKILL)
                else:
                    self.process.kill()
            for stream in (self.process.stdin, self.process.stdout):
                with contextlib.suppress(OSError):
                    if stream:
                        stream.close()
            self.process.wait()
            self.scratch.cleanup()
        self.process = None

    def _start(self) -> None:
        if not self.starts_left:
            return
        self.starts_left -= 1
        environment = {"PATH": os.environ.get("PATH", ""), "OMP_NUM_THREADS": "1"}
        environment |= {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        kept = ("SYSTEMROOT", "TEMP", "TMP", "HOME", "LANG", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
        environment |= {name: os.environ[name] for name in kept if name in os.environ}
        self.scratch = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        folder = os.path.realpath(self.scratch.name)
        environment |= {"TMPDIR": folder, "TEMP": folder, "TMP": folder}
        self.process = subprocess.Popen(
            [sys.executable, "-I", str(Path(runner.__file__).resolve())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=folder,
            start_new_session=os.name == "posix",
        )  # fmt: skip
        answer = self._ask(self.process, self.order, self.loading_s)
        if "problems" in answer:
            self.problems = [printable(problem) for problem in answer["problems"]]
            self.uses_torch, self.locked = answer["torch"], answer.get("locked") is True
            return
        self.starts_left = 0
        self.ended = f"while the file was loaded: {answer['message']}"
        self.problems = [self.ended]

    def _ask(
        self, process: "subprocess.Popen[bytes]", request: Any, seconds: float, calls: int = 0
    ) -> Any:
        found: list[Any] = []

        def talk() -> None:
            # Whatever arrives came from a stranger: what can't be read is an ended process.
            with contextlib.suppress(Exception):
                runner.send(cast(BinaryIO, process.stdin), request)
                found.append(runner.receive(cast(BinaryIO, process.stdout)))

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        thread.join(seconds)
        if found and _well_formed(found[0], calls):
            return found[0]
        late = thread.is_alive()
        self.close()
        thread.join(1)
        if late:
            return _ended("Timeout", f"no answer within {seconds:g} s")
        return _ended("Ended", "the process ended by itself")


def _well_formed(answer: Any, calls: int) -> bool:
    """An answer of the runner, as far as its form can tell: to loading (calls 0), or to a case."""
    if not calls:
        return (
            isinstance(answer, dict)
            and isinstance(answer.get("problems"), list)
            and all(isinstance(problem, str) for problem in answer["problems"])
            and isinstance(answer.get("torch"), bool)
        )
    return (
        isinstance(answer, list)
        and 1 <= len(answer) <= calls
        and all(isinstance(one, dict) and _is_outcome(one) for one in answer)
        and all("value" in one for one in answer[:-1])
        and (len(answer) == calls or "error" in answer[-1])
    )


def _is_outcome(one: dict[Any, Any]) -> bool:
    if "error" in one:
        words = [one["error"], one.get("message"), one.get("line") or ""]
        return "value" not in one and all(isinstance(word, str) for word in words)
    return "value" in one and isinstance(one.get("changed"), list)


def _plain(calls: tuple[Call, ...]) -> list[Any]:
    return [(call.function, call.arguments, dict(call.keywords)) for call in calls]


def _ended(kind: str, message: str) -> dict[str, Any]:
    return {"error": kind, "message": message, "line": None}


@contextlib.contextmanager
def _alarm(seconds: float | None) -> Iterator[None]:
    """Stop a call in this process after so many seconds, where the platform can."""
    usable = (
        seconds is not None
        and hasattr(signal, "setitimer")
        and threading.current_thread() is threading.main_thread()
    )
    if not usable or seconds is None:
        yield
        return

    def stop(*_: Any) -> None:
        raise TimeoutError(f"no answer within {seconds:g} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
