"""Where things lie. All that the launcher makes is under `.venv`, `node_modules` or `var`."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
LOCALE = ROOT / "locale"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
NODE_MODULES = ROOT / "node_modules"
VAR = ROOT / "var"
VENDOR = VAR / "vendor"
