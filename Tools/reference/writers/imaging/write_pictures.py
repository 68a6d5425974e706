"""Writes Fixtures/imaging: small images in many encodings, and the results of Pillow and NumPy.

    python -m pip install -r requirements.txt && python write_pictures.py
"""
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import skimage.data
from PIL import Image, ImageOps

FIXTURES = Path(__file__).resolve().parents[4] / "Fixtures" / "imaging"
FILTERS = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "box": 4, "hamming": 5}
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def source(width, height):
    """A part of scikit-image's cat (CC0), with a saturated corner so that filters overshoot and conversions clip."""
    image = Image.fromarray(skimage.data.chelsea()).resize((width * 2, height * 2), Image.Resampling.LANCZOS)
    pixels = np.asarray(image.crop((width // 2, 0, width // 2 + width, height))).copy()
    pixels[:6, :6] = (255, 0, 0)
    pixels[:6, 6:12] = (0, 255, 255)
    pixels[6:10:2, :12] = 255
    pixels[7:10:2, :12] = 0
    return Image.fromarray(pixels)


def save_expected(path, pixels):
    np.save(path.with_suffix(".npy"), np.ascontiguousarray(pixels))


def seen(data):
    """The image that Pillow decodes from a file: upright, in RGB."""
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))


def write_jpegs(folder):
    def save(name, image, edit=None, **options):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", **options)
        data = edit(buffer.getvalue()) if edit else buffer.getvalue()
        (folder / f"{name}.jpg").write_bytes(data)
        save_expected(folder / name, seen(data))

    def as_ycck(data):
        """The same file with the transform of its Adobe marker set to YCCK: other colors, but a valid YCCK file."""
        at = data.index(b"Adobe") + 11
        return data[:at] + b"\x02" + data[at + 1:]

    image = source(37, 29)
    for name, subsampling in (("444", 0), ("422", 1), ("420", 2)):
        save(f"color-{name}", image, quality=85, subsampling=subsampling)
    save("progressive", image, quality=80, progressive=True)
    save("restarts", image, quality=80, restart_marker_blocks=2)
    save("rgb", image, quality=90, keep_rgb=True)
    save("gray", image.convert("L"), quality=85)
    cmyk = Image.fromarray(np.dstack([255 - np.asarray(image), np.asarray(image.convert("L")) // 3]), "CMYK")
    save("cmyk", cmyk, quality=90)
    save("ycck", cmyk, quality=90, edit=as_ycck)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        save(f"orientation-{orientation}", source(20, 13), quality=85, exif=exif)


def png(pixels, depth, color_type, interlaced=False, chunks=()):
    """A PNG of height × width × samples; Pillow writes neither interlaced files nor all depths."""
    samples = pixels.reshape(pixels.shape[0], pixels.shape[1], -1)

    def rows(part):
        if depth == 16:
            lines = part.astype(">u2").view(np.uint8).reshape(part.shape[0], -1)
        elif depth == 8:
            lines = part.astype(np.uint8).reshape(part.shape[0], -1)
        else:
            bits = (part[:, :, 0, None] >> np.arange(depth - 1, -1, -1)) & 1
            lines = np.packbits(bits.reshape(part.shape[0], -1).astype(np.uint8), axis=1)
        return b"".join(b"\0" + line.tobytes() for line in lines)

    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    parts = [samples[y::dy, x::dx] for x, y, dx, dy in passes] if interlaced else [samples]
    data = b"".join(rows(part) for part in parts if part.size)
    head = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], depth, color_type, 0, 0, interlaced)
    body = [(b"IHDR", head), *chunks, (b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in body)


def write_pngs(folder):
    def save(name, data, expected=None):
        (folder / f"{name}.png").write_bytes(data)
        save_expected(folder / name, seen(data) if expected is None else expected)

    image = source(21, 15)
    rgb, gray = np.asarray(image), np.asarray(image.convert("L"))
    alpha = np.linspace(0, 255, gray.size).astype(np.uint8).reshape(gray.shape)
    fine = rgb.astype(np.uint16) * 256 + 255 - rgb
    fine_gray = gray.astype(np.uint16) * 256 + 255 - gray
    palette = np.random.default_rng(7).integers(0, 256, (16, 3)).astype(np.uint8).tobytes()
    save("rgb", png(rgb, 8, 2))
    save("rgb-interlaced", png(rgb, 8, 2, interlaced=True))
    save("rgb-16", png(fine, 16, 2))
    save("rgb-transparent-color", png(rgb, 8, 2, chunks=[(b"tRNS", struct.pack(">HHH", 255, 0, 0))]))
    save("rgba", png(np.dstack([rgb, alpha]), 8, 6))
    save("rgba-16-interlaced", png(np.dstack([fine, alpha.astype(np.uint16) * 257]), 16, 6, interlaced=True))
    save("gray", png(gray, 8, 0))
    for depth in (1, 2, 4):
        save(f"gray-{depth}", png(gray >> (8 - depth), depth, 0))
    # Pillow clips 16-bit gray at 255, which gives a white image. The expected values are the upper 8 bits, as for RGB.
    save("gray-16", png(fine_gray, 16, 0), expected=np.dstack([gray] * 3))
    save("gray-alpha", png(np.dstack([gray, alpha]), 8, 4))
    save("palette-4", png(gray >> 4, 4, 3, chunks=[(b"PLTE", palette)]))
    save("palette-8-transparent",
         png(gray >> 4, 8, 3, interlaced=True, chunks=[(b"PLTE", palette), (b"tRNS", bytes(range(0, 160, 16)))]))
    exif = Image.Exif()
    exif[0x0112] = 6
    save("orientation-6", png(rgb, 8, 2, chunks=[(b"eXIf", exif.tobytes()[6:])]))
    # ImageMagick's format: the JPEG block in hexadecimal digits, after the profile's name and length.
    block = exif.tobytes()
    digits = block.hex()
    profile = f"\nexif\n{len(block):8}\n" + "\n".join(digits[i:i + 72] for i in range(0, len(digits), 72)) + "\n"
    key = b"Raw profile type exif\0"
    save("orientation-profile", png(rgb, 8, 2, chunks=[(b"tEXt", key + profile.encode())]))
    save("orientation-profile-compressed", png(rgb, 8, 2, chunks=[(b"zTXt", key + b"\0" + zlib.compress(profile.encode()))]))

    def packet(text):
        return (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + f"<x:xmpmeta xmlns:x='adobe:ns:meta/'>{text}</x:xmpmeta>".encode())

    save("orientation-xmp", png(rgb, 8, 2, chunks=[packet('<rdf:Description tiff:Orientation="8"/>')]))
    save("orientation-xmp-element", png(rgb, 8, 2, chunks=[packet("<tiff:Orientation>5</tiff:Orientation>")]))
    save("orientation-exif-and-xmp",
         png(rgb, 8, 2, chunks=[packet('<rdf:Description tiff:Orientation="8"/>'), (b"eXIf", exif.tobytes()[6:])]))
    # Twelve of 16 bits: nearly black, as in Pillow for RGB.
    save("rgb-12", png(fine >> 4, 16, 2))


def write_resizes(folder):
    image = source(40, 30)
    image.save(folder / "source.png")
    for name, number in FILTERS.items():
        for width, height in ((17, 12), (61, 47), (25, 50), (40, 11), (38, 11), (3, 30)):
            save_expected(folder / f"{name}-{width}x{height}", np.asarray(image.resize((width, height), number)))


def torchvision_crop(pixels, height, width):
    """torchvision's center_crop, with its published arithmetic."""
    below, right = max(height - pixels.shape[0], 0), max(width - pixels.shape[1], 0)
    pixels = np.pad(pixels, ((below // 2, (below + 1) // 2), (right // 2, (right + 1) // 2), (0, 0)))
    top, left = (int(round((size - wanted) / 2.0)) for size, wanted in zip(pixels.shape, (height, width)))
    return pixels[top:top + height, left:left + width]


def preprocess(pixels, config):
    """The steps of Hugging Face's image processors, from their description: resize, crop, rescale, normalize, flip."""
    def side(of, to):
        return int(to * of[1] / of[0])

    if config.get("do_resize", True):
        image, size = Image.fromarray(pixels), config["size"]
        if "height" in size:
            target = size["width"], size["height"]
        else:
            edge = next(iter(size.values()))
            shortest = "shortest_edge" in size
            wide = image.width > image.height
            short, long = sorted(image.size)
            a, b = (edge, side((short, long), edge)) if shortest else (side((long, short), edge), edge)
            target = (b, a) if wide else (a, b)
        pixels = np.asarray(image.resize(target, config.get("resample", 2)))
    if config.get("do_center_crop", "crop_size" in config):
        height, width = config["crop_size"]["height"], config["crop_size"]["width"]
        if config.get("crop_rounding") == "torchvision":
            pixels = torchvision_crop(pixels, height, width)
        top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
        canvas = np.zeros((max(height, pixels.shape[0]), max(width, pixels.shape[1]), 3), pixels.dtype)
        pad_y = int(np.ceil((canvas.shape[0] - pixels.shape[0]) / 2))
        pad_x = int(np.ceil((canvas.shape[1] - pixels.shape[1]) / 2))
        canvas[pad_y:pad_y + pixels.shape[0], pad_x:pad_x + pixels.shape[1]] = pixels
        top, left = top + pad_y, left + pad_x
        pixels = canvas[max(0, top):min(canvas.shape[0], top + height), max(0, left):min(canvas.shape[1], left + width)]
    values = pixels.astype(np.float64)
    if config.get("do_rescale", True):
        values = values * config.get("rescale_factor", 1 / 255)
    if config.get("do_normalize", True):
        values = (values - np.array(config["image_mean"])) / np.array(config["image_std"])
    if config.get("do_flip_channel_order", False):
        values = values[:, :, ::-1]
    return values.transpose(2, 0, 1)[None, :len(config.get("image_mean", "rgb"))].astype(np.float32)


def write_preprocessings(folder):
    crop = {"height": 24, "width": 24}
    usual = {"image_mean": MEAN, "image_std": STD}
    cases = {
        "shortest-edge-crop": usual | {"size": {"shortest_edge": 30}, "do_center_crop": True, "crop_size": crop},
        "odd-crop": usual | {"size": {"shortest_edge": 31}, "crop_size": {"height": 25, "width": 28}, "resample": 3},
        "longest-edge": usual | {"size": {"longest_edge": 33}, "resample": 1, "do_center_crop": False},
        "exact": usual | {"size": {"height": 20, "width": 27}, "resample": 0, "rescale_factor": 1 / 127.5},
        "bgr-not-rescaled": {"size": {"shortest_edge": 24}, "crop_size": crop, "do_rescale": False,
                             "image_mean": [123.68, 116.779, 103.939], "image_std": [1.0, 1.0, 1.0],
                             "do_flip_channel_order": True},
        "padded-crop": usual | {"size": {"shortest_edge": 17}, "do_center_crop": True, "crop_size": crop},
        "not-normalized": {"size": {"height": 16, "width": 16}, "do_normalize": False},
        "native": usual | {"do_resize": False},
        "torchvision-crop": usual | {"size": {"shortest_edge": 31}, "crop_size": crop, "crop_rounding": "torchvision"},
        "torchvision-padded": usual | {"size": {"shortest_edge": 17}, "crop_size": crop, "crop_rounding": "torchvision"},
        "gray": {"size": {"height": 28, "width": 28}, "image_mean": [0.1307], "image_std": [0.3081]},
    }
    for name, pixels in (("wide", source(44, 31)), ("tall", source(31, 44))):
        pixels.save(folder / f"{name}.png")
    for name, config in cases.items():
        (folder / f"{name}.json").write_text(json.dumps(config, indent=2) + "\n")
        for shape in ("wide", "tall"):
            if name == "native" and shape == "tall":
                continue
            image = Image.open(folder / f"{shape}.png")
            if len(config.get("image_mean", "rgb")) == 1:
                image = image.convert("L").convert("RGB")
            pixels = np.asarray(image)
            save_expected(folder / f"{name}-{shape}", preprocess(pixels, config))


if __name__ == "__main__":
    for name, write in (("jpeg", write_jpegs), ("png", write_pngs), ("resize", write_resizes),
                        ("preprocessing", write_preprocessings)):
        (FIXTURES / name).mkdir(parents=True, exist_ok=True)
        write(FIXTURES / name)
