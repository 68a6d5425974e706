"""Writes Fixtures/cat-and-coffee.png: scikit-image's `chelsea` and `coffee`, both CC0, side by side with 454 × 227 pixels.

Usage: cat_and_coffee.py OUTPUT.png. Needs scikit-image 0.26.0 and Pillow 13.0.0; other versions may write different bytes.
The crops are the largest squares around the cat's face and around the cup.
"""
import sys

from PIL import Image
from skimage import data

SIDE = 227                                                  # the side of SqueezeNet's input, so that neither half is scaled again
CROPS = [(data.chelsea, (75, 0, 375, 300)), (data.coffee, (120, 0, 480, 360))]     # left, top, right, bottom

image = Image.new("RGB", (SIDE * len(CROPS), SIDE))
for column, (photograph, box) in enumerate(CROPS):
    half = Image.fromarray(photograph()).resize((SIDE, SIDE), Image.Resampling.LANCZOS, box=box)
    image.paste(half, (SIDE * column, 0))
image.save(sys.argv[1], optimize=True)
