"""The process group that trains one network, on this machine or on several: torch.distributed.

`torchrun` gives each process its rank through the environment, and so does `start_workers`, which starts the other
processes of this machine.
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
"""Path of the file by which workers find each other: a file, because a free port may be taken meanwhile."""
_TIMEOUT = timedelta(minutes=10)
"""How long processes wait for each other: on another machine one may have to download the images first."""
_joined_ranks: set[int] = set()
"""Ranks that this process has had in process groups; empty where it was alone all the time."""


@dataclass(frozen=True)
class ProcessGroup:
    """One process's place among those that train together; by default the only one."""

    rank: int = 0
    size: int = 1
    device: str = "cpu"
    """Of tensors that are communicated: nccl takes those of a GPU only."""

    @property
    def is_rank_0(self) -> bool:
        """Return whether this process decides, writes files and prints."""
        return self.rank == 0

    def sum(self, tensor: Tensor) -> Tensor:
        """Sum the processes' CPU tensors, which stay unchanged. Raises MnistError where a process has ended."""
        if self.size == 1:
            return tensor
        with _convert_errors():
            copy = tensor.to(self.device, copy=True)
            dist.all_reduce(copy)
            return copy.cpu()

    def broadcast(self, value: Any) -> Any:
        """Return rank 0's value in every process."""
        values = [value]
        if self.size > 1:
            with _convert_errors():
                dist.broadcast_object_list(values)
        return values[0]

    def wrap(self, network: nn.Module) -> nn.Module:
        """Return the network such that backward passes average the gradients over all processes."""
        if self.size == 1:
            return network
        with warnings.catch_warnings():
            # The name that torch 2.14 wants instead is unknown to torch 2.9.
            warnings.simplefilter("ignore", FutureWarning)
            # Training averages the statistics of batch normalisation itself.
            return DistributedDataParallel(network, broadcast_buffers=False)

    @contextmanager
    def gradient_sync(self, network: nn.Module, *, enabled: bool) -> Iterator[None]:
        """Average the gradients of a backward pass over the processes if enabled, else accumulate them locally."""
        if not isinstance(network, DistributedDataParallel):
            yield
        elif enabled:
            with _convert_errors():
                yield
        else:
            with network.no_sync():
                yield


SINGLE_PROCESS = ProcessGroup()


@contextmanager
def _convert_errors() -> Iterator[None]:
    try:
        yield
    except RuntimeError as cause:
        reason = (str(cause).splitlines() or [""])[0][:120]
        remedy = "run the same command again, which goes on after the last whole epoch"
        raise MnistError(f"another process of this training ended early ({reason}): {remedy}") from cause


def world_size() -> int:
    """Return the number of processes that this one was started with."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_distributed() -> bool:
    """Return whether this process was started as one of several."""
    return world_size() > 1


def is_rank_0() -> bool:
    """Return whether this process has rank 0, before it joins the others."""
    return not is_distributed() or os.environ.get("RANK") == "0"


@contextmanager
def join_process_group(device: str) -> Iterator[ProcessGroup]:
    """Join the process group that the environment names, if any, and leave it at the end."""
    if not is_distributed():
        yield SINGLE_PROCESS
        return
    backend = "nccl" if device == "cuda" else "gloo"
    path = os.environ.get(_RENDEZVOUS)
    method = f"file://{path}" if path else "env://"
    rank, size = int(os.environ["RANK"]), world_size()
    if backend == "nccl":
        # Each process its own GPU; torchrun counts those of this machine.
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    _joined_ranks.add(rank)
    with _convert_errors():
        dist.init_process_group(backend, init_method=method, rank=rank, world_size=size, timeout=_TIMEOUT)
    try:
        yield ProcessGroup(rank, size, device if backend == "nccl" else "cpu")
    finally:
        # After a failure the others may have ended already.
        with suppress(RuntimeError):
            dist.destroy_process_group()


def exit_process(code: int) -> NoReturn:
    """End this process with an exit code; one that has joined a group ends without tearing torch down.

    What gloo leaves behind aborts a process of torch 2.14 that ends by itself now and then ("terminate called without
    an active exception"), and torchrun would take a finished training for a failed one.
    """
    if _joined_ranks:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


@contextmanager
def start_workers(count: int, threads: int, command: Sequence[str]) -> Iterator[None]:
    """Start `count` workers with a command of `python -m mnist`, and give this process rank 0.

    Workers write nothing and end by themselves when rank 0 is gone. Where one of them ended early, the MnistError
    that this causes ends with the last line of the workers' stderr.
    """
    if not count:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="mnist-workers-") as folder:
        common = {"WORLD_SIZE": str(count + 1), _RENDEZVOUS: str(Path(folder, "rendezvous")), **_loopback()}
        common["OMP_NUM_THREADS"] = str(threads)
        with Path(folder, "stderr").open("w+", encoding="utf-8") as stderr:
            workers = [_start_worker(command, {**common, "RANK": str(rank)}, stderr) for rank in range(1, count + 1)]
            try:
                with _environment({**common, "RANK": "0"}):
                    yield
            except MnistError as error:
                stderr.seek(0)
                last = stderr.read().strip().splitlines()[-1:]
                raise MnistError(f"{error}; last stderr line: {last[0][:200]}" if last else str(error)) from error
            finally:
                for worker in workers:
                    worker.terminate()
                    worker.wait()


def _start_worker(command: Sequence[str], changes: Mapping[str, str], stderr: IO[str]) -> subprocess.Popen[bytes]:
    # A session of its own: rank 0 handles Ctrl-C.
    return subprocess.Popen(
        [sys.executable, "-m", "mnist", *command],
        env={**os.environ, **changes},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
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
    """Keep the processes of one machine from resolving its name, which the network may not know."""
    names = [name for _, name in socket.if_nameindex()] if hasattr(socket, "if_nameindex") else []
    found = next((name for name in names if name in ("lo", "lo0")), None)
    return {"GLOO_SOCKET_IFNAME": found} if found else {}
