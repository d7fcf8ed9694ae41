"""Random shifts of whole batches."""

import torch
from torch import Tensor
from torch.nn.functional import pad


def draw_offsets(count: int, shift: int, generator: torch.Generator) -> Tensor:
    """Draw for each image how far it moves: int64 (count, 2), down and right, between -shift and +shift pixels."""
    return torch.randint(-shift, shift + 1, (count, 2), generator=generator)


def shifted(images: Tensor, offsets: Tensor) -> Tensor:
    """Move each image by its own offset; what comes in from outside is paper (0).

    images (N, H, W), offsets int64 (N, 2) → (N, H, W). All at once: one gather instead of a loop over images.
    """
    count, height, width = images.shape
    margin = int(offsets.abs().max()) if count else 0
    if not margin:
        return images
    framed = pad(images, (margin, margin, margin, margin))
    rows = margin - offsets[:, :1] + torch.arange(height, device=images.device)
    columns = margin - offsets[:, 1:] + torch.arange(width, device=images.device)
    return framed[torch.arange(count, device=images.device)[:, None, None], rows[:, :, None], columns[:, None, :]]


def middle(images: Tensor, edge: int) -> Tensor:
    """Cut images (N, H, W) down to their middle (N, edge, edge): digits lie in the middle 20 × 20 pixels."""
    margin = (images.shape[-1] - edge) // 2
    return images[:, margin : margin + edge, margin : margin + edge]
