"""Makes virtual environments for programs that ours is compared with."""

import subprocess
import sys
from pathlib import Path

PEERS = {
    "torch": ["torch==2.13.0", "numpy"],
    "keras": ["tensorflow-cpu==2.21.0", "keras==3.15.1", "pillow==13.0.0"],
    "fastapi": [
        "fastapi==0.165.0",
        "uvicorn==0.54.0",
        "uvloop==0.23.0",
        "httptools==0.9.0",
        "pillow==13.0.0",
        "keras==3.15.1",
        "tensorflow-cpu==2.21.0",
        "jax==0.10.2",
    ],
}
FOLDER = Path.home() / ".cache" / "cnn" / "benchmarks"


def environment(name: str, folder: Path = FOLDER) -> str:
    """Makes the virtual environment of a peer if it is missing. Returns its Python."""
    python = folder / name / "bin" / "python"
    if not python.exists():
        print(f"installing {', '.join(PEERS[name])}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder / name], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PEERS[name]], check=True)
    return str(python)
