"""Networks as TOML files: those that are shipped, by name; which there are is known without reading any."""

from pathlib import Path

from backprop.errors import BackpropError

_FOLDER = Path(__file__).parent


def list_networks() -> tuple[str, ...]:
    """Return the names of the shipped networks, the class's first."""
    return tuple(sorted((path.stem for path in _FOLDER.glob("*.toml")), key=lambda name: (name != "class", name)))


def read_text(name: str) -> str:
    """Return a shipped network's file. Raises BackpropError for a name that there is none of."""
    if name not in list_networks():
        raise BackpropError(f"no network is called {name[:40]!r}: there are {', '.join(list_networks())}")
    return (_FOLDER / f"{name}.toml").read_text(encoding="utf-8")
