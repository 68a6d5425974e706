"""Images as network inputs: the preprocessing of torchvision and of `preprocessor_config.json`."""

import json

import numpy as np
import skimage.data
from PIL import Image

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
IMAGENET_BOX = (
    [(0.0 - mean) / std for mean, std in zip(IMAGENET_MEAN, IMAGENET_STD)],
    [(1.0 - mean) / std for mean, std in zip(IMAGENET_MEAN, IMAGENET_STD)],
)


def center_crop(image, width, height):
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def chelsea(side, corner=None):
    """scikit-image's cat: shorter side scaled to 8/7 of `side` (bilinear), center crop, ImageNet mean and std; [1, 3, side, side].

    `corner` is the left and top of a different crop.
    """
    image = Image.fromarray(skimage.data.chelsea())
    scale = round(side * 8 / 7) / min(image.size)
    image = image.resize([round(scale * length) for length in image.size], Image.Resampling.BILINEAR)
    if corner:
        image = image.crop((*corner, corner[0] + side, corner[1] + side))
    pixels = np.asarray(center_crop(image, side, side), dtype=np.float64) / 255
    normalized = (pixels - IMAGENET_MEAN) / IMAGENET_STD
    return np.ascontiguousarray(normalized.transpose(2, 0, 1)[None], dtype=np.float32)


class Preprocessor:
    """The preprocessing of a Hugging Face `preprocessor_config.json`: resize, crop, rescale, normalize, and finally flip to BGR."""

    def __init__(self, path):
        config = json.loads(path.read_text())
        self.config = config
        self.scale = config.get("rescale_factor", 1 / 255) if config.get("do_rescale", True) else 1.0
        normalize = config.get("do_normalize", True)
        self.mean = np.array(config["image_mean"] if normalize else [0.0] * 3)
        self.std = np.array(config["image_std"] if normalize else [1.0] * 3)
        self.flip = config.get("do_flip_channel_order", False)

    def _in_order(self, channels):
        return channels[::-1] if self.flip else channels

    def box(self):
        """The lowest and highest value of each channel, in the channel order of the network's input."""
        low, high = (0 - self.mean) / self.std, (255 * self.scale - self.mean) / self.std
        return self._in_order(low).tolist(), self._in_order(high).tolist()

    def __call__(self, image):
        config = self.config
        image = image.convert("RGB")
        if config.get("do_resize", True):
            image = image.resize(self._resized(image), Image.Resampling(config.get("resample", 2)))
        if config.get("do_center_crop", False):
            image = center_crop(image, config["crop_size"]["width"], config["crop_size"]["height"])
        pixels = np.asarray(image, dtype=np.float64) * self.scale
        pixels = self._in_order(((pixels - self.mean) / self.std).transpose(2, 0, 1))
        return np.ascontiguousarray(pixels[None], dtype=np.float32)

    def _resized(self, image):
        size = self.config["size"]
        if "shortest_edge" in size:
            scale = size["shortest_edge"] / min(image.size)
            return [round(scale * side) for side in image.size]
        return [size["width"], size["height"]]
