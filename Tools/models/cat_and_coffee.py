"""Write Fixtures/cat-and-coffee.png: scikit-image's `chelsea` and `coffee`, both CC0, side by side as 454 × 227.

Usage: cat_and_coffee.py OUTPUT.png. Needs scikit-image 0.26.0 and Pillow 13.0.0; other versions may write the PNG's bytes differently.
The crops are square, around the cat's face and around the cup, and as large as the photographs allow.
"""
import sys

from PIL import Image
from skimage import data

SIDE = 227                                                  # SqueezeNet's input: neither half needs to be scaled again
CROPS = [(data.chelsea, (75, 0, 375, 300)), (data.coffee, (120, 0, 480, 360))]     # left, top, right, bottom

picture = Image.new("RGB", (SIDE * len(CROPS), SIDE))
for column, (photograph, box) in enumerate(CROPS):
    half = Image.fromarray(photograph()).resize((SIDE, SIDE), Image.Resampling.LANCZOS, box=box)
    picture.paste(half, (SIDE * column, 0))
picture.save(sys.argv[1], optimize=True)
