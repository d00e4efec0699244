"""Make or update `.venv` from the locked requirements. Standard library only; `make` calls it.

    python3 scripts/setup_environment.py run     what `make run` needs
    python3 scripts/setup_environment.py dev     that, and what `make test` needs
    python3 scripts/setup_environment.py lock    write requirements/*.txt anew (needs dev)

Nothing outside the checkout changes, except that a missing pip is unpacked into the packages folder (see
hub/programs/embedded/packages.py). When nothing changed it returns in a few hundredths of a second.

The result depends on the locks alone: settings of this machine and its user say where packages come from, never which
ones or where to. An environment that is not complete, or not ours, is made anew; downloads are kept in uv's cache.
"""

from __future__ import annotations  # so that an old Python gets as far as the sentence about its age

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import signal
import subprocess
import sys
import time
import unicodedata
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
DOWNLOAD_MB = {"run": 125, "dev": 240}
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
    "clients": ["requirements/clients.in"],
}
#: Tools of environments of their own, which need other versions of what both use.
APART = ("clients",)
#: Settings of Python, pip and uv would change what is installed, or where to ...
SETTINGS = ("PYTHON", "PIP_", "UV_", "VIRTUAL_ENV", "CONDA_")
#: ... except these, which say where packages come from and how to get there. No lock contains that.
SOURCE_SETTINGS = tuple(
    f"{program}_{name}"
    for program, names in {
        "PIP": "CACHE_DIR CERT CLIENT_CERT CONFIG_FILE DEFAULT_TIMEOUT EXTRA_INDEX_URL FIND_LINKS INDEX_URL "
        "KEYRING_PROVIDER NO_CACHE_DIR NO_INDEX PROXY RETRIES TIMEOUT TRUSTED_HOST",
        "UV": "CACHE_DIR CONCURRENT_ CONFIG_FILE DEFAULT_INDEX EXTRA_INDEX_URL FIND_LINKS HTTP_ INDEX INSECURE_HOST "
        "KEYRING_PROVIDER LINK_MODE NATIVE_TLS NO_CACHE NO_INDEX OFFLINE REQUEST_TIMEOUT SYSTEM_CERTS",
    }.items()
    for name in names.split()
)
#: The descriptor of the lock, which steps inherit.
held: list[int] = []


class SetupError(Exception):
    """What is wrong and what to do, in full sentences, for the person at the keyboard."""

    def __init__(self, english: str, korean: str) -> None:
        super().__init__(either(english, korean))


def either(english: str, korean: str) -> str:
    """The sentence that this person reads; an old Python, which cannot load what tells that, shows English."""
    if sys.version_info < OLDEST_PYTHON:
        return english
    from schemas import terminal  # here, since it needs the version check

    terminal.prepare()
    return terminal.either(english, korean)


def main(arguments: Sequence[str]) -> int:
    """Carry out one of the three words above; returns the exit status."""
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        return fail(f"Python 3.11 or newer is needed; this is {found}. Name a newer one: make PYTHON=python3.12 ...")
    if list(arguments) not in (["run"], ["dev"], ["lock"]):
        return fail(
            either(
                "Say which environment: run or dev, or lock to write the locks anew.",
                "환경을 지정하십시오: run이나 dev, 또는 잠금 파일을 새로 쓰는 lock.",
            )
        )
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores SIGHUP, and so do we then
            signal.signal(number, signal.default_int_handler)
    try:
        require_usable_name()
        wait_for_others(os.open(ROOT, os.O_RDONLY))
        lock() if arguments[0] == "lock" else prepare(arguments[0])
    except SetupError as error:
        return fail(str(error))
    except OSError as error:
        what = f"{error.strerror or error}: {error.filename or ROOT}."
        return fail(
            either(
                f"{what} Check the disk and whose files these are.",
                f"{what} 디스크와 파일의 소유자를 확인하십시오.",
            )
        )
    except KeyboardInterrupt:
        return fail(
            either(
                "Stopped. The next start begins anew with what was downloaded.",
                "중단했습니다. 다음에 시작하면 내려받은 것을 이용해 처음부터 다시 준비합니다.",
            )
        )
    return 0


def require_usable_name() -> None:
    """Refuse a place whose name Python's environments cannot bear: lines of text files and lists name it."""
    name = os.fsencode(ROOT)
    try:
        letters = name.decode("utf-8")
        odd = os.pathsep in letters or any(unicodedata.category(letter) in ("Cc", "Zl", "Zp") for letter in letters)
    except UnicodeDecodeError:
        odd = True
    if odd:
        raise SetupError(
            f"The name of this folder, {str(ROOT)!a}, has a line break, a colon, or bytes that are not UTF-8, which "
            "Python's environments cannot bear. Rename or move it, then try again.",
            f"이 폴더의 이름 {str(ROOT)!a}에 줄바꿈이나 콜론, UTF-8이 아닌 바이트가 있어 Python 환경을 만들 수 "
            "없습니다. 이름을 바꾸거나 옮긴 뒤 다시 실행하십시오.",
        )


def wait_for_others(directory: int) -> None:
    """One `make` at a time. The lock ends with us and with the step that runs, which may outlive us."""
    held.append(directory)
    end = time.monotonic() + INSTALL_DEADLINE_S
    said = False
    while True:
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise SetupError(
                    f"Another make still prepares {VENV.name}. Stop it, then try again.",
                    f"다른 make가 아직 {VENV.name}을(를) 준비하고 있습니다. 멈춘 뒤 다시 실행하십시오.",
                ) from None
        else:
            return
        if not said:
            say(
                either(
                    f"Another make prepares {VENV.name}: waiting for it.",
                    f"다른 make가 {VENV.name}을(를) 준비하고 있어 기다립니다.",
                )
            )
        said = True
        time.sleep(0.1)


def fail(sentence: str) -> int:
    """Show why the set-up stopped."""
    show(either(f"Set-up: {sentence}", f"준비: {sentence}"), error=True)
    return 1


def prepare(wanted: str) -> None:
    """Bring the environment up to date with the lock `wanted`; an up-to-date larger one serves, too."""
    if is_current(wanted):
        return
    wanted = lock_to_install(wanted)
    size = DOWNLOAD_MB[wanted]
    require_own_venv()
    say(
        either(
            f"Preparing {VENV.name} from requirements/{wanted}.txt (the first time this downloads about {size} MB).",
            f"requirements/{wanted}.txt로 {VENV.name}을(를) 준비합니다(처음에는 약 {size} MB를 내려받습니다).",
        )
    )
    kept = is_ours()
    STAMP.unlink(missing_ok=True)  # what is begun and not finished is made anew
    if not kept:
        make_venv()
        install_uv()
    uv("pip", "sync", "--require-hashes", f"requirements/{wanted}.txt")
    # Everything it needs is installed by hash already, also what builds it. The place's name may have spaces.
    uv("pip", "install", "--no-deps", "--no-build-isolation", "--editable", ".")
    stamp = {"lock": wanted, "digest": digest(wanted), "venv": venv_identity()}
    unfinished = STAMP.with_suffix(".new")
    unfinished.write_text(json.dumps(stamp) + "\n", encoding="utf-8")
    unfinished.replace(STAMP)


def lock_to_install(wanted: str) -> str:
    """`wanted`, or the larger lock that is installed: `make run` takes away no tools of whoever has tested here."""
    return "dev" if is_ours() and read_stamp().get("lock") == "dev" else wanted


def require_own_venv() -> None:
    """Refuse to change what another user made, such as root by `sudo make run`."""
    for folder in (VENV, ROOT):
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
            raise SetupError(
                f"{folder} must be brought up to date and is not yours to write (it was made by {owner(folder)}). "
                "Remove it as that user (sudo rm -rf .venv), or make a clone of your own.",
                f"{folder}을(를) 갱신해야 하지만 쓸 권한이 없습니다({owner(folder)}이(가) 만듦). 그 사용자로 "
                "삭제하거나(sudo rm -rf .venv) 저장소를 따로 복제하십시오.",
            )


def owner(folder: Path) -> str:
    """Who made it."""
    uid = folder.stat().st_uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def lock() -> None:
    """Resolve `pyproject.toml` for all supported Pythons and systems, with hashes and without any host's name."""
    prepare("dev")
    for name, sources in SOURCES.items():
        output = REQUIREMENTS / f"{name}.txt"
        # One version everywhere: the smaller locks take what the largest one chose.
        limits = [] if name in ("dev", *APART) else ["--constraint", str(REQUIREMENTS / "dev.txt")]
        extras = [f"--extra={extra}" for extra in EXTRAS.get(name, [])]
        options = ["--universal", "--python-version=3.11", "--generate-hashes", "--no-emit-index-url", "--upgrade"]
        options += ["--no-header", "--no-annotate", f"--output-file={output}", *extras, *limits]
        compile_lock = [str(VENV / "bin" / "uv"), "--no-config", "pip", "compile", "--quiet", *options, *sources]
        run(compile_lock, {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)})
        say(either(f"Wrote requirements/{output.name}.", f"requirements/{output.name}에 썼습니다."))


def is_current(wanted: str) -> bool:
    """Whether the environment matches the lock `wanted`, or one that contains it."""
    stamp = read_stamp()
    larger_or_same = {"run": ("run", "dev"), "dev": ("dev",)}[wanted]
    return stamp.get("lock") in larger_or_same and stamp.get("digest") == digest(str(stamp["lock"])) and is_ours()


def read_stamp() -> dict[str, object]:
    """What the last complete set-up wrote, or nothing."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def is_ours() -> bool:
    """Whether the environment was completed here, by this script, for the Python that it still has."""
    identity = read_stamp().get("venv")
    return identity is not None and identity == venv_identity()


def digest(name: str) -> str:
    """Of everything that decides what is installed."""
    parts = [(REQUIREMENTS / f"{name}.txt").read_bytes(), (ROOT / "pyproject.toml").read_bytes()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def venv_identity() -> list[str] | None:
    """The environment's place, which its programs name, and its Python's version, whose folder has the packages.

    None when its Python does not start: its base may have been removed or upgraded.
    """
    check = "import sys; print(sys.version_info[:2], sys.implementation.name)"
    try:
        done = subprocess.run(
            [str(PYTHON), "-I", "-S", "-c", check], check=False, timeout=QUICK_DEADLINE_S, capture_output=True
        )
    except OSError:
        return None
    place = hashlib.sha256(os.fsencode(VENV)).hexdigest()
    return [place, done.stdout.decode("ascii", "replace").strip()] if done.returncode == 0 else None


def make_venv() -> None:
    """Create the environment without pip: Debian's python3 comes without what `venv` needs for it."""
    if importlib.util.find_spec("venv") is None:
        raise SetupError(
            "This Python has no venv module. Install the package python3-venv, then try again.",
            "이 Python에 venv 모듈이 없습니다. python3-venv 패키지를 설치한 뒤 다시 실행하십시오.",
        )
    run([sys.executable, "-I", "-m", "venv", "--clear", "--without-pip", str(VENV)], environment())


def install_uv() -> None:
    """Install uv, by hash, with whatever pip this machine has or can get."""
    install = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", "--no-user"]
    install += ["--only-binary=:all:", "--timeout=180", "--requirement", str(REQUIREMENTS / "tools.txt")]
    run([str(PYTHON), *pip_arguments(), *install], environment())
    if not (VENV / "bin" / "uv").exists():
        raise SetupError(
            "pip did not install uv into .venv. Look at its settings (pip config list), then try again.",
            "pip가 .venv에 uv를 설치하지 못했습니다. pip 설정(pip config list)을 확인한 뒤 다시 실행하십시오.",
        )


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
    advice_ko = "python3-venv와 python3-pip 패키지를 설치한 뒤 다시 실행하십시오."
    if not debian.is_available():
        raise SetupError(
            f"This Python has neither pip nor ensurepip. {advice}",
            f"이 Python에 pip도 ensurepip도 없습니다. {advice_ko}",
        )
    say(
        either(
            f"This Python has no pip: getting Debian's package {package}, unpacked, not installed.",
            f"이 Python에 pip가 없어 Debian 패키지 {package}을(를) 받아 설치하지 않고 풀어 씁니다.",
        )
    )
    try:
        folder = Packages().folder(f"{debian.release()}-{package}", lambda target: debian.unpack(package, target))
    except EmbeddedError as error:
        raise SetupError(
            f"This Python has no pip, and {error.sentence} {advice}",
            f"이 Python에 pip가 없습니다. {error.korean} {advice_ko}",
        ) from error
    return next(folder.glob("usr/share/python-wheels/pip-*.whl"))


def uv(*arguments: str) -> None:
    """Run the environment's uv on the environment."""
    settings = environment() | {"VIRTUAL_ENV": str(VENV), "UV_PYTHON_DOWNLOADS": "never"}
    settings.setdefault("UV_HTTP_TIMEOUT", "300")
    if "PIP_INDEX_URL" in settings:  # uv does not read pip's settings, a company's mirror among them
        settings.setdefault("UV_DEFAULT_INDEX", settings["PIP_INDEX_URL"])
    run([str(VENV / "bin" / "uv"), *arguments, "--quiet", f"--python={PYTHON}"], settings)


def environment() -> dict[str, str]:
    """What a step gets of ours."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(SETTINGS) or name.startswith(SOURCE_SETTINGS)
    }
    cache = cache_folder()
    return kept | ({"XDG_CACHE_HOME": cache} if cache else {"UV_NO_CACHE": "1", "PIP_NO_CACHE_DIR": "1"})


def cache_folder() -> str | None:
    """Where downloads are kept: below the home folder, if we may write there; None if there is no such place.

    Root leaves nothing in the home of the user who called sudo: that user could not write its own cache any more.
    """
    places = [Path(os.environ.get("XDG_CACHE_HOME", "")), Path(os.environ.get("HOME", ""), ".cache")]
    with contextlib.suppress(KeyError):  # a container may run as any number
        places.append(Path(pwd.getpwuid(os.geteuid()).pw_dir, ".cache"))
    for place in filter(Path.is_absolute, places):
        there = next(folder for folder in (place, *place.parents) if folder.exists())
        if os.geteuid() == 0 and there.stat().st_uid != 0:
            continue
        with contextlib.suppress(OSError):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            if os.access(place, os.W_OK | os.X_OK):
                return str(place)
    return None


def run(argv: Sequence[str], environment: dict[str, str]) -> None:
    """Run a step; its own output tells what went wrong. Ctrl-C reaches only us: pip would show its stack."""
    try:
        started = subprocess.Popen(argv, cwd=ROOT, env=environment, start_new_session=True, pass_fds=held)
    except OSError as error:
        raise SetupError(
            f"{argv[0]} cannot be started: {error.strerror}. Is this folder on a disk that allows programs (mounted "
            "without noexec)?",
            f"{argv[0]}을(를) 시작할 수 없습니다: {error.strerror}. 이 폴더가 프로그램을 실행할 수 있는 디스크(noexec "
            "아님)에 있습니까?",
        ) from error
    with started as step:
        try:
            step.wait(INSTALL_DEADLINE_S)
        except subprocess.TimeoutExpired as error:
            raise SetupError(
                f"{Path(argv[0]).name} took longer than {INSTALL_DEADLINE_S} s. Check the network.",
                f"{Path(argv[0]).name}이(가) {INSTALL_DEADLINE_S}초 안에 끝나지 않았습니다. 네트워크를 확인하십시오.",
            ) from error
        finally:
            if step.returncode is None:
                os.killpg(step.pid, signal.SIGKILL)
    if step.returncode != 0:
        raise SetupError(
            f"{Path(argv[0]).name} failed, see above. Check the network and the disk, then try again.",
            f"{Path(argv[0]).name}이(가) 실패했습니다. 위의 내용을 보고 네트워크와 디스크를 확인한 뒤 다시 "
            "실행하십시오.",
        )


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
