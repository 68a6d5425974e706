#!/usr/bin/env python3
"""Makes the figure of the README from the output of Tools/demo.

Usage: cat-and-coffee.py EXPLANATIONS OUTPUT.png        requires Pillow (pinned in Tools/reference/requirements.txt)
"""
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

METHODS = ["lrp", "clrp1"]
CLASSES = [("espresso", 967), ("tiger cat", 282)]
SIZE = 296, 148
MARGIN, TITLE, FONT_SIZE = 8, 26, 17


def main(explanations, output):
    explanations = Path(explanations)
    font = ImageFont.load_default(FONT_SIZE)
    width, height = SIZE[0] + MARGIN, TITLE + SIZE[1] + MARGIN
    sheet = Image.new("RGB", (width * (1 + len(METHODS)) - MARGIN, height * len(CLASSES) - MARGIN), "white")
    draw = ImageDraw.Draw(sheet)

    def place(path, title, column, row):
        left, top = int(column * width), int(row * height)
        sheet.paste(Image.open(explanations / path).convert("RGB").resize(SIZE, Image.Resampling.LANCZOS), (left, top + TITLE))
        draw.text((left + SIZE[0] / 2, top + TITLE / 2), title, "black", font, anchor="mm")

    place("image.png", "the image", 0, (len(CLASSES) - 1) / 2)
    for row, (label, number) in enumerate(CLASSES):
        for column, method in enumerate(METHODS, start=1):
            place(f"cat-and-coffee/class{number}.{method}.overlay.png", f"{label}: {method.upper()}", column, row)
    sheet.save(output, optimize=True)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
