"""fer's changes to training pictures, for a whole batch at once.

The settings are those of `training.augmentation`; each picture draws its own change. All numbers come from torch's own generator.
"""

import math

import torch
from torch.nn import functional

SIDE = 48
NONE = {
    "flip": 0.0, "rotation": 0.0, "scale": 0.0, "shift": 0.0, "brightness": 0.0, "contrast": 0.0,
    "erasing": 0.0,
}


def within(most, *shape):
    """Uniform numbers from -most to most."""
    return most * (2 * torch.rand(shape) - 1)


def augment(pictures, settings):
    """Pictures (n, 1, 48, 48) of 0 to 1, each moved, lighted and erased as it draws."""
    if any(settings[name] > 0 for name in ["flip", "rotation", "scale", "shift"]):
        pictures = warp(pictures, draw_places(len(pictures), settings))
    if settings["brightness"] > 0 or settings["contrast"] > 0:
        contrast = 1 + within(settings["contrast"], len(pictures), 1, 1, 1)
        brightness = within(settings["brightness"], len(pictures), 1, 1, 1)
        mean = pictures.mean((1, 2, 3), keepdim=True)
        pictures = (pictures * contrast + (mean - mean * contrast + brightness)).clamp(0, 1)
    if settings["erasing"] > 0:
        pictures = erase(pictures, settings["erasing"])
    return pictures


def draw_places(count, settings):
    """For each picture the matrix (2, 3) that leads from a pixel to the place that it comes from.

    Mirrored, then turned and sized, then shifted, all about the centre. Coordinates go
    from -1 to 1 between the centres of the outermost pixels.
    """
    angle = torch.deg2rad(within(settings["rotation"], count))
    size = 1 + within(settings["scale"], count)
    shift = within(settings["shift"], count, 2) * SIDE / ((SIDE - 1) / 2)
    mirrored = torch.where(torch.rand(count) < settings["flip"], -1.0, 1.0)
    return places(angle, size, shift, mirrored)


def places(angle, size, shift, mirrored):
    """The matrices of these changes, each (n), `shift` (n, 2) in coordinates of -1 to 1."""
    across = torch.stack([torch.cos(angle), torch.sin(angle)], 1) / size[:, None]
    down = torch.stack([-torch.sin(angle), torch.cos(angle)], 1) / size[:, None]
    across = across * mirrored[:, None]
    matrix = torch.stack([across, down], 1)
    return torch.cat([matrix, -matrix @ shift[:, :, None]], 2)


def warp(pictures, matrices):
    """Bilinear between pixels; beyond the edge the picture is reflected about its outermost pixels."""
    grid = functional.affine_grid(matrices, list(pictures.shape), align_corners=True)
    return functional.grid_sample(pictures, grid, "bilinear", "reflection", align_corners=True)


def erase(pictures, probability):
    """A rectangle of 2 % to 25 % of the area filled with noise, in so large a share of the pictures."""
    count = len(pictures)
    area = SIDE * SIDE * (0.02 + 0.23 * torch.rand(count))
    low, high = math.log(0.3), math.log(3.3)
    aspect = torch.exp(low + (high - low) * torch.rand(count))
    sides = torch.stack([(area * aspect).sqrt(), (area / aspect).sqrt()]).round().clamp(1, SIDE)
    start = (torch.rand(2, count) * (SIDE - sides + 1)).floor()
    place = torch.arange(SIDE)
    inside = (place >= start[:, :, None]) & (place < (start + sides)[:, :, None])
    inside[0] &= (torch.rand(count) < probability)[:, None]
    rectangle = (inside[0][:, :, None] & inside[1][:, None, :])[:, None]
    return torch.where(rectangle, torch.rand_like(pictures), pictures)
