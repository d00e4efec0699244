"""Make or update `.venv` from the locked requirements. Standard library only; `make` calls it.

    python3 scripts/setup_environment.py run     what `make run` needs
    python3 scripts/setup_environment.py dev     that, and what `make test` needs
    python3 scripts/setup_environment.py lock    write requirements/*.txt anew (needs dev)

Nothing outside the checkout changes, except that a missing pip is unpacked into the packages folder (see
hub/programs/embedded/packages.py). When nothing changed it returns in a few hundredths of a second.
"""

from __future__ import annotations  # so that an old Python gets as far as the sentence about its age

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # this file runs before anything is installed
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "floorhub-setup.json"
REQUIREMENTS = ROOT / "requirements"
OLDEST_PYTHON = (3, 11)
INSTALL_DEADLINE_S = 1800  # over a slow line
DOWNLOAD_MB = {"run": 65, "dev": 180}
QUICK_DEADLINE_S = 120
EXTRAS = {"run": ["hub", "embedded"], "dev": ["hub", "embedded", "dev"], "hub": ["hub"]}
#: What each lock is resolved from; the first one is made first, and decides the versions of the others.
SOURCES = {
    "dev": ["pyproject.toml", "requirements/build.in"],
    "run": ["pyproject.toml", "requirements/build.in"],
    "hub": ["pyproject.toml"],
    "agent": ["pyproject.toml"],
    "build": ["requirements/build.in"],
    "tools": ["requirements/tools.in"],
}
#: Where packages come from on this machine is no part of a lock.
INDEX_VARIABLES = ("UV_", "PIP_")


class SetupError(Exception):
    """What is wrong and what to do, in full sentences."""


def main(arguments: Sequence[str]) -> int:
    """Carry out one of the three words above; returns the exit status."""
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        return fail(f"Python 3.11 or newer is needed; this is {found}. Name a newer one: make PYTHON=python3.12 ...")
    if list(arguments) not in (["run"], ["dev"], ["lock"]):
        return fail("Say which environment: run or dev, or lock to write the locks anew.")
    directory = os.open(ROOT, os.O_RDONLY)
    try:
        wait_for_others(directory)
        lock() if arguments[0] == "lock" else prepare(arguments[0])
    except SetupError as error:
        return fail(str(error))
    except KeyboardInterrupt:
        return fail("Stopped. The next start goes on from here.")
    finally:
        os.close(directory)
    return 0


def wait_for_others(directory: int) -> None:
    """One `make` at a time; the lock is released when the process ends."""
    try:
        fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(f"Another make prepares {VENV.name}: waiting for it.")
        fcntl.flock(directory, fcntl.LOCK_EX)


def fail(sentence: str) -> int:
    """Show why the set-up stopped."""
    show(f"Set-up: {sentence}", error=True)
    return 1


def prepare(wanted: str) -> None:
    """Bring the environment up to date with the lock `wanted`; an up-to-date larger one serves, too."""
    if is_current(wanted):
        return
    size = DOWNLOAD_MB[wanted]
    say(f"Preparing {VENV.name} from requirements/{wanted}.txt (the first time this downloads about {size} MB).")
    STAMP.unlink(missing_ok=True)
    if not venv_works():
        make_venv()
    if not (VENV / "bin" / "uv").exists():
        install_uv()
    uv("pip", "sync", "--require-hashes", str(REQUIREMENTS / f"{wanted}.txt"))
    # Everything it needs is installed by hash already, also what builds it.
    uv("pip", "install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    STAMP.write_text(json.dumps({"lock": wanted, "digest": digest(wanted)}) + "\n", encoding="utf-8")


def lock() -> None:
    """Resolve `pyproject.toml` for all supported Pythons and systems, with hashes and without any host's name."""
    prepare("dev")
    for name, sources in SOURCES.items():
        output = REQUIREMENTS / f"{name}.txt"
        # One version everywhere: the smaller locks take what the largest one chose.
        limits = [] if name == "dev" else ["--constraint", str(REQUIREMENTS / "dev.txt")]
        extras = [f"--extra={extra}" for extra in EXTRAS.get(name, [])]
        options = ["--universal", "--python-version=3.11", "--generate-hashes", "--no-emit-index-url", "--upgrade"]
        options += ["--no-header", "--no-annotate", f"--output-file={output}", *extras, *limits]
        compile_lock = [str(VENV / "bin" / "uv"), "--no-config", "pip", "compile", "--quiet", *options, *sources]
        run(compile_lock, without_index())
        say(f"Wrote requirements/{output.name}.")


def is_current(wanted: str) -> bool:
    """Whether the environment matches the lock `wanted`, or one that contains it."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    larger_or_same = {"run": ("run", "dev"), "dev": ("dev",)}[wanted]
    return bool(stamp.get("lock") in larger_or_same and stamp.get("digest") == digest(stamp["lock"]) and venv_works())


def digest(name: str) -> str:
    """Of everything that decides what is installed, the checkout's place included (an editable install names it)."""
    parts = [(REQUIREMENTS / f"{name}.txt").read_bytes(), (ROOT / "pyproject.toml").read_bytes(), str(VENV).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def venv_works() -> bool:
    """Whether the environment's Python starts (its base may have been removed or upgraded) and is new enough."""
    check = f"import sys; sys.exit(sys.version_info < {OLDEST_PYTHON})"
    try:
        done = subprocess.run([str(PYTHON), "-I", "-S", "-c", check], check=False, timeout=QUICK_DEADLINE_S)
    except OSError:
        return False
    return done.returncode == 0


def make_venv() -> None:
    """Create the environment without pip: Debian's python3 comes without what `venv` needs for it."""
    if VENV.exists():
        shutil.rmtree(VENV)
    if importlib.util.find_spec("venv") is None:
        raise SetupError("This Python has no venv module. Install the package python3-venv, then try again.")
    run([sys.executable, "-m", "venv", "--without-pip", str(VENV)])


def install_uv() -> None:
    """Install uv, by hash, with whatever pip this machine has or can get."""
    install = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
    install += ["--only-binary=:all:", "--timeout=180", "--requirement", str(REQUIREMENTS / "tools.txt")]
    run([str(PYTHON), *pip_arguments(), *install])


def pip_arguments() -> list[str]:
    """How to run pip under the environment's Python: from ensurepip's wheel, or from Debian's."""
    bundled = Path(os.__file__).parent / "ensurepip" / "_bundled"
    folders = [bundled, Path("/usr/share/python-wheels")]
    wheels = [wheel for folder in folders for wheel in sorted(folder.glob("pip-*.whl"))]
    return [str((wheels or [debian_pip_wheel()])[0] / "pip")]


def debian_pip_wheel() -> Path:
    """Debian's own copy of pip, unpacked without installing it."""
    from hub.programs.embedded import debian  # here, since it needs the version check above
    from hub.programs.embedded.errors import EmbeddedError
    from hub.programs.embedded.packages import Packages

    package = "python3-pip-whl"
    advice = "Install the packages python3-venv and python3-pip, then try again."
    if not debian.is_available():
        raise SetupError(f"This Python has neither pip nor ensurepip. {advice}")
    say(f"This Python has no pip: getting Debian's package {package}, unpacked, not installed.")
    try:
        folder = Packages().folder(f"{debian.release()}-{package}", lambda target: debian.unpack(package, target))
    except EmbeddedError as error:
        raise SetupError(f"This Python has no pip, and {error.sentence} {advice}") from error
    return next(folder.glob("usr/share/python-wheels/pip-*.whl"))


def uv(*arguments: str) -> None:
    """Run the environment's uv on the environment."""
    environment = dict(os.environ, VIRTUAL_ENV=str(VENV))
    environment.setdefault("UV_HTTP_TIMEOUT", "300")
    environment.setdefault("UV_PYTHON_DOWNLOADS", "never")
    if "PIP_INDEX_URL" in environment:  # uv does not read pip's settings, a company's mirror among them
        environment.setdefault("UV_DEFAULT_INDEX", environment["PIP_INDEX_URL"])
    run([str(VENV / "bin" / "uv"), *arguments, "--quiet", f"--python={PYTHON}"], environment)


def without_index() -> dict[str, str]:
    """This environment without settings that say where packages come from."""
    return {name: value for name, value in os.environ.items() if not name.startswith(INDEX_VARIABLES)}


def run(argv: Sequence[str], environment: dict[str, str] | None = None) -> None:
    """Run a step; its own output tells what went wrong. Ctrl-C reaches only us: pip would show its stack."""
    with subprocess.Popen(argv, cwd=ROOT, env=environment, start_new_session=True) as step:
        try:
            step.wait(INSTALL_DEADLINE_S)
        except subprocess.TimeoutExpired as error:
            sentence = f"{Path(argv[0]).name} took longer than {INSTALL_DEADLINE_S} s. Check the network."
            raise SetupError(sentence) from error
        finally:
            if step.returncode is None:
                os.killpg(step.pid, signal.SIGKILL)
    if step.returncode != 0:
        raise SetupError(f"{Path(argv[0]).name} failed, see above. Check the network and the disk, then try again.")


def say(sentence: str) -> None:
    """Tell the person who waits."""
    show(sentence)


def show(sentence: str, *, error: bool = False) -> None:
    """A sentence on standard output or error; an old Python, which cannot load what shows it, gets it as it is."""
    if sys.version_info < OLDEST_PYTHON:
        sys.stderr.write(f"{sentence}\n")
        return
    from schemas import terminal  # here, since it needs the version check

    terminal.prepare()
    terminal.write(sentence, error=error)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
