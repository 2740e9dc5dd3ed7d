"""Layers that give images another size, that change channels for pixels, and that take windows apart."""

from __future__ import annotations

from typing import Any

from shared import ops
from shared.nn.module import Module

Sizes = int | tuple[int, int]


class Upsample(Module):
    """Sequences, images or volumes in another size; see `ops.interpolate`."""

    def __init__(
        self, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
        align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
    ) -> None:  # fmt: skip
        self.size, self.scale_factor, self.mode = size, scale_factor, mode
        self.align_corners, self.recompute_scale_factor = align_corners, recompute_scale_factor

    def settings(self) -> str:
        size = f"scale_factor={self.scale_factor}" if self.size is None else f"size={self.size}"
        return f"{size}, mode={self.mode!r}"

    def forward(self, x: Any) -> Any:
        return ops.interpolate(
            x, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )


class UpsamplingNearest2d(Upsample):
    """`Upsample` of images, mode "nearest"."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor)


class UpsamplingBilinear2d(Upsample):
    """`Upsample` of images, mode "bilinear", whose corners' centres stay where they are."""

    def __init__(self, size: Any = None, scale_factor: Any = None) -> None:
        super().__init__(size, scale_factor, "bilinear", align_corners=True)


class PixelShuffle(Module):
    """r x r channels made r x r pixels; see `ops.pixel_shuffle`."""

    def __init__(self, upscale_factor: int) -> None:
        self.upscale_factor = upscale_factor

    def settings(self) -> str:
        return f"{self.upscale_factor}"

    def forward(self, x: Any) -> Any:
        return ops.pixel_shuffle(x, self.upscale_factor)


class PixelUnshuffle(Module):
    """r x r pixels made r x r channels; see `ops.pixel_unshuffle`."""

    def __init__(self, downscale_factor: int) -> None:
        self.downscale_factor = downscale_factor

    def settings(self) -> str:
        return f"{self.downscale_factor}"

    def forward(self, x: Any) -> Any:
        return ops.pixel_unshuffle(x, self.downscale_factor)


class ChannelShuffle(Module):
    """Channels dealt out among groups; see `ops.channel_shuffle`."""

    def __init__(self, groups: int) -> None:
        self.groups = groups

    def settings(self) -> str:
        return f"{self.groups}"

    def forward(self, x: Any) -> Any:
        return ops.channel_shuffle(x, self.groups)


class Unfold(Module):
    """What a moving window sees, as columns; see `ops.im2col`."""

    def __init__(
        self, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0, stride: Sizes = 1
    ) -> None:
        self.kernel_size, self.dilation, self.padding, self.stride = kernel_size, dilation, padding, stride

    def settings(self) -> str:
        names = ("kernel_size", "dilation", "padding", "stride")
        return ", ".join(f"{name}={getattr(self, name)}" for name in names)

    def forward(self, x: Any) -> Any:
        return ops.im2col(x, self.kernel_size, self.dilation, self.padding, self.stride)


class Fold(Unfold):
    """Columns put back in place and added up where they overlap; see `ops.col2im`."""

    def __init__(
        self, output_size: Sizes, kernel_size: Sizes, dilation: Sizes = 1, padding: Sizes = 0,
        stride: Sizes = 1,
    ) -> None:  # fmt: skip
        super().__init__(kernel_size, dilation, padding, stride)
        self.output_size = output_size

    def settings(self) -> str:
        return f"output_size={self.output_size}, {super().settings()}"

    def forward(self, x: Any) -> Any:
        move = self.kernel_size, self.dilation, self.padding, self.stride
        return ops.col2im(x, self.output_size, *move)  # type: ignore[arg-type]
