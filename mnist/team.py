"""The processes that train one network together, on this machine or on several: torch.distributed.

`torchrun` tells each process its place through the environment, and so does `helpers`, which starts the other processes
of this machine.
"""

import os
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, NoReturn

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from mnist.errors import MnistError

_RENDEZVOUS = "MNIST_RENDEZVOUS"
"""Where the processes that `helpers` starts find each other: a file, because a free port may be taken meanwhile."""
_PATIENCE = timedelta(minutes=10)
"""How long processes wait for each other: on another machine one may have to download the images first."""
_met: set[int] = set()
"""The places that this process has taken among others; empty where it was alone all the time."""


@dataclass(frozen=True)
class Team:
    """One process's place among those that train together; alone by default."""

    rank: int = 0
    size: int = 1
    device: str = "cpu"
    """Where tensors have to be to travel: nccl takes those of a GPU only."""

    @property
    def leads(self) -> bool:
        """Tell whether this process decides, writes and talks to people."""
        return self.rank == 0

    def sum(self, tensor: Tensor) -> Tensor:
        """Add up the processes' CPU tensors, which stay as they are. Raises MnistError where a process is gone."""
        if self.size == 1:
            return tensor
        with _explained():
            travelling = tensor.to(self.device, copy=True)
            dist.all_reduce(travelling)
            return travelling.cpu()

    def share(self, value: Any) -> Any:
        """Give everyone the leader's value."""
        values = [value]
        if self.size > 1:
            with _explained():
                dist.broadcast_object_list(values)
        return values[0]

    def wrapped(self, network: nn.Module) -> nn.Module:
        """Let backward passes average the gradients of all processes."""
        if self.size == 1:
            return network
        with warnings.catch_warnings():
            # The name that torch 2.14 wants instead is unknown to torch 2.9.
            warnings.simplefilter("ignore", FutureWarning)
            # Batch normalisation's statistics are averaged by the training, not copied from the leader.
            return DistributedDataParallel(network, broadcast_buffers=False)

    @contextmanager
    def keeping_gradients(self, network: nn.Module, *, keep: bool) -> Iterator[None]:
        """Leave the gradients of a backward pass where they are, if asked to, and don't average them yet."""
        if not isinstance(network, DistributedDataParallel):
            yield
        elif keep:
            with network.no_sync():
                yield
        else:
            with _explained():
                yield


ALONE = Team()


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except RuntimeError as cause:
        reason = (str(cause).splitlines() or [""])[0][:120]
        remedy = "run the same command again, which goes on after the last whole epoch"
        raise MnistError(f"another process of this training ended early ({reason}): {remedy}") from cause


def size_here() -> int:
    """Count the processes that this one was started with."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_member() -> bool:
    """Tell whether this process was started as one of several."""
    return size_here() > 1


def leads_here() -> bool:
    """Tell whether this process decides, before it has met the others."""
    return not is_member() or os.environ.get("RANK") == "0"


@contextmanager
def joined(device: str) -> Iterator[Team]:
    """Join the team that the environment names, if any, and leave it at the end."""
    if not is_member():
        yield Team()
        return
    backend = "nccl" if device == "cuda" else "gloo"
    place = os.environ.get(_RENDEZVOUS)
    method = f"file://{place}" if place else "env://"
    rank, size = int(os.environ["RANK"]), size_here()
    if backend == "nccl":
        # Each process its own GPU; torchrun counts those of this machine.
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    _met.add(rank)
    with _explained():
        dist.init_process_group(backend, init_method=method, rank=rank, world_size=size, timeout=_PATIENCE)
    try:
        yield Team(rank, size, device if backend == "nccl" else "cpu")
    finally:
        # After a failure the others may be gone, and there is nobody to say goodbye to.
        with suppress(RuntimeError):
            dist.destroy_process_group()


def end(code: int) -> NoReturn:
    """End this process with an exit code; one that has met others ends without tearing torch down.

    What gloo leaves behind aborts a process of torch 2.14 that ends by itself now and then ("terminate called without
    an active exception"), and torchrun would take a finished training for a failed one.
    """
    if _met:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


@contextmanager
def helpers(count: int, threads: int, command: Sequence[str]) -> Iterator[None]:
    """Start `count` more processes with a command of `python -m mnist`, and make this one the leader of them all.

    They write nothing and end by themselves when the leader is gone. Where one of them ended early, the MnistError
    that this causes tells its last words.
    """
    if not count:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="mnist-team-") as folder:
        common = {"WORLD_SIZE": str(count + 1), _RENDEZVOUS: str(Path(folder, "meeting")), **_loopback()}
        common["OMP_NUM_THREADS"] = str(threads)
        with Path(folder, "words").open("w+", encoding="utf-8") as words:
            started = [_start(command, {**common, "RANK": str(rank)}, words) for rank in range(1, count + 1)]
            try:
                with _environment({**common, "RANK": "0"}):
                    yield
            except MnistError as error:
                words.seek(0)
                last = words.read().strip().splitlines()[-1:]
                raise MnistError(f"{error}; its last words: {last[0][:200]}" if last else str(error)) from error
            finally:
                for process in started:
                    process.terminate()
                    process.wait()


def _start(command: Sequence[str], changes: Mapping[str, str], words: IO[str]) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C is the leader's to handle.
    return subprocess.Popen(
        [sys.executable, "-m", "mnist", *command],
        env={**os.environ, **changes},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=words,
        start_new_session=True,
    )


@contextmanager
def _environment(changes: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(changes)
    try:
        yield
    finally:
        for name in changes:
            del os.environ[name]
        os.environ.update(before)


def _loopback() -> dict[str, str]:
    """Keep the processes of one machine from looking for its name in the network, which may not know it."""
    names = [name for _, name in socket.if_nameindex()] if hasattr(socket, "if_nameindex") else []
    found = next((name for name in names if name in ("lo", "lo0")), None)
    return {"GLOO_SOCKET_IFNAME": found} if found else {}
