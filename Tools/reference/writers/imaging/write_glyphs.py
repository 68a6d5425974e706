"""Writes the outlines of the characters in charts and labels, from the public-domain typeface Tuffy.

    apt-get install fonts-tuffy
    python3 Tools/reference/writers/imaging/write_glyphs.py /usr/share/fonts/truetype/tuffy/Tuffy.ttf \\
        > Sources/Figures/Drawing/Typeface+Outlines.swift

Needs fontTools. The output contains the code point, the advance and the contours of each character, in units of 1/512 em.
"""
import sys

from fontTools.ttLib import TTFont

UNITS = 512
CHARACTERS = (
    "".join(map(chr, range(0x20, 0x7F)))
    + "−×·°…–—±≤≥≈→‘’“”"
    + "αβγδεηλμσΔΣ"
    + "äçèéêñöüßÄÉÖÜ"
    + "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺"
)

HEADER = '''// Written by Tools/reference/writers/imaging/write_glyphs.py; do not edit.

extension Typeface {
  /// Outlines of the typeface Tuffy (regular) by Thatcher Ulrich, Karoly Barta and Michael Everson, who have released it
  /// into the public domain; from Debian's package fonts-tuffy, version %s.
  ///
  /// A glyph is `=` and its code point in hexadecimal, its advance, and its contours. A contour starts with `:`; its
  /// points are x and y, each relative to the point before, in 1/512 of the em, y upward from the baseline; a point that
  /// is marked `~` controls a quadratic curve, and between two consecutive such points there is a point on it.
  static let outlines = """
'''


def glyph_tokens(font, character):
    name = font.getBestCmap()[ord(character)]
    scale = UNITS / font["head"].unitsPerEm
    advance = round(font["hmtx"][name][0] * scale)
    coordinates, ends, flags = font["glyf"][name].getCoordinates(font["glyf"])
    tokens = [f"={ord(character):X}", str(advance)]
    start, last = 0, (0, 0)
    for end in ends:
        points = []
        for (x, y), flag in zip(coordinates[start : end + 1], flags[start : end + 1]):
            point = (round(x * scale), round(y * scale), flag & 1)
            if not points or point != points[-1]:
                points.append(point)
        for i, (x, y, on) in enumerate(points):
            mark = (":" if i == 0 else "") + ("" if on else "~")
            tokens.append(f"{mark}{x - last[0]},{y - last[1]}")
            last = (x, y)
        start = end + 1
    return tokens


def main():
    font = TTFont(sys.argv[1])
    missing = [c for c in CHARACTERS if ord(c) not in font.getBestCmap()]
    if missing:
        sys.exit(f"{sys.argv[1]}: expected glyphs for {' '.join(missing)}, found none")
    lines, line = [], ""
    for token in (t for c in sorted(set(CHARACTERS)) for t in glyph_tokens(font, c)):
        if len(line) + 1 + len(token) > 112:
            lines.append(line)
            line = ""
        line += (" " if line else "") + token
    lines.append(line)
    sys.stdout.write(HEADER % "20120614-2.1")
    sys.stdout.writelines(f"    {line}\n" for line in lines)
    sys.stdout.write('    """\n}\n')


main()
