"""Spreadsheets of other kinds, read through LibreOffice where it is installed."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from backprop.errors import BackpropError

PACKAGES = (".xlsx", ".xlsm", ".xltx", ".xltm")
"""What is read as it is."""
OTHERS = (".ods", ".ots", ".fods", ".xls", ".xlt", ".xlsb")
"""What LibreOffice has to convert first."""
TIME_LIMIT = 60.0
_REMEDY = "save it as .xlsx (File, Save as) and check that"
_SETTINGS = {
    "org.openoffice.Office.Common/Security/Scripting": {
        "MacroSecurityLevel": "3",
        "DisableMacrosExecution": "true",
        "BlockUntrustedRefererLinks": "true",
    },
    "org.openoffice.Office.Calc/Content/Update": {"Link": "1"},
}
"""No macros, no links to other files or to the network."""


def is_convertible(path: Path) -> bool:
    """Return whether a file's name says that LibreOffice has to convert it."""
    return path.suffix.lower() in OTHERS


def convert(path: Path, content: bytes) -> bytes:
    """Convert a spreadsheet to .xlsx, and return that. Raises BackpropError where it can't be."""
    program = shutil.which("soffice") or shutil.which("libreoffice")
    kind = path.suffix.lower() if is_convertible(path) else ".xls"
    if program is None:
        raise BackpropError(f"{kind} files are read only where LibreOffice is installed: {_REMEDY}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_profile(folder / "profile" / "user")
        source = folder / f"sheet{kind}"
        source.write_bytes(content)  # a name of ours: the file's own may look like an option
        command = [program, f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--norestore"]
        _run([*command, "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(folder / "out"), str(source)])
        try:
            return (folder / "out" / "sheet.xlsx").read_bytes()
        except OSError as error:
            raise BackpropError(f"LibreOffice can't read it; it may have a password: {_REMEDY}") from error


def _write_profile(folder: Path) -> None:
    items = (
        f'<item oor:path="/{path}"><prop oor:name="{name}" oor:op="fuse"><value>{value}</value></prop></item>'
        for path, values in _SETTINGS.items()
        for name, value in values.items()
    )
    registry = 'xmlns:oor="http://openoffice.org/2001/registry"'
    folder.mkdir(parents=True)
    (folder / "registrymodifications.xcu").write_text(
        f"<oor:items {registry}>{''.join(items)}</oor:items>", encoding="utf-8"
    )


def _run(command: list[str]) -> None:
    """Run LibreOffice in a process group of its own, so that nothing of it is left after the time limit."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        process.wait(TIME_LIMIT)
    except subprocess.TimeoutExpired as error:
        raise BackpropError(f"LibreOffice took longer than {TIME_LIMIT:g} s to read it: {_REMEDY}") from error
    finally:
        if process.poll() is None:
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            process.kill()
            process.wait()
