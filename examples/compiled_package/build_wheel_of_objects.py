"""Builds the wheel: compiles ahead of time, and packs sources and objects.

With setuptools it is `mh compile integrals/rules.py` before `python -m build`, and in pyproject.toml
`[tool.setuptools.package-data]` with `"*" = ["__mhcompiled__/*/*"]`.
"""

import base64
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAME, VERSION = "integrals", "1.0"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    subprocess.run([sys.executable, "-m", "manyhands.cli", "compile", str(HERE / NAME / "rules.py")], check=True)
    # Objects are for one version of Python each, as .pyc files are.
    python = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    tag = f"{python}-{python}-linux_x86_64"
    info = f"{NAME}-{VERSION}.dist-info"
    files = {
        str(path.relative_to(HERE)): path.read_bytes()
        for path in sorted((HERE / NAME).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\nRequires-Dist: manyhands\n".encode()
    )
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: {NAME}\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    record = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    wheel = f"{NAME}-{VERSION}-{tag}.whl"
    with zipfile.ZipFile(Path(wheel_directory) / wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return wheel


def _digest(content):
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
