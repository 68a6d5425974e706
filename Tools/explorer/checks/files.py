"""Files for the attack: images with false headers, links and pipes."""

import os
import socket
import struct
import zlib

from hostile import SECRET


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, rows=None, depth=8, color=2, more=b""):
    """A PNG file. `rows` are the uncompressed bytes of its pixels, of any length; the default is a gradient."""
    if rows is None:
        rows = b"".join(b"\0" + bytes(((x * 3 + y) % 256, (y * 5) % 256, (x * y) % 256)[c] for x in range(width) for c in range(3))
                        for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)) + more
            + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b""))


def jpeg(width, height, progressive=False, scans=1):
    """A JPEG file that consists of little more than a header with a size."""
    frame = b"\xff\xc2" if progressive else b"\xff\xc0"
    table = bytes([0, 1]) + bytes(15) + bytes([0])
    scan = b"\xff\xda\0\x08\x01\x01\0\0\0\0" + b"\0" * 8
    return (b"\xff\xd8\xff\xdb\0\x43\0" + b"\x01" * 64 + frame + b"\0\x0b\x08" + struct.pack(">HH", height, width) + b"\x01\x01\x11\0"
            + b"\xff\xc4\0\x14" + bytes([0x00]) + bytes([1]) + bytes(15) + bytes([0])
            + b"\xff\xc4\0\x14" + bytes([0x10]) + table[1:2] + bytes(15) + bytes([0]) + scan * scans + b"\xff\xd9")


def text_bomb(size):
    """A PNG chunk of compressed text that becomes large when it is decompressed."""
    return chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(size), 9))


def make_files(folder):
    """Makes a folder of images, and a folder outside it that the service must not read."""
    inside, outside = folder / "images", folder / "outside"
    for each in (inside, inside / "below", outside):
        each.mkdir()
    (inside / "a.png").write_bytes(png(96, 64))
    (inside / "b.png").write_bytes(png(40, 80))
    (inside / "below" / "c.png").write_bytes(png(64, 64))
    (inside / "damaged.png").write_bytes(png(64, 64)[:300])
    (inside / "bomb.png").write_bytes(png(60000, 60000, bytes(1 << 22), 1, 0))
    (inside / "bomb.jpg").write_bytes(jpeg(65535, 65535))
    (inside / "ünï ☃ %2e.png").write_bytes(png(32, 32))
    (outside / "secret.png").write_bytes(png(48, 48, more=chunk(b"tEXt", b"Comment\0" + SECRET)))
    (outside / "secret.txt").write_bytes(SECRET + b"\n")
    (outside / "secret.yaml").write_bytes(b"rules:\n  - " + SECRET + b"\n")
    (outside / "text.png").write_bytes(SECRET)
    (inside / "link.png").symlink_to(outside / "secret.png")
    (inside / "text.png").symlink_to(outside / "secret.txt")
    (inside / "folder").symlink_to(outside)
    (inside / "passwd.png").symlink_to("/etc/passwd")
    (inside / "zero.png").symlink_to("/dev/zero")
    (inside / "loop.png").symlink_to("loop.png")
    (inside / "own.png").symlink_to("a.png")
    (inside / "folder.png").mkdir()
    os.mkfifo(inside / "pipe.png")
    (inside / "closed.png").write_bytes(png(16, 16))
    (inside / "closed.png").chmod(0)
    with socket.socket(socket.AF_UNIX) as unix:
        os.chdir(inside)
        unix.bind("socket.png")
        os.chdir("/")
    return inside, outside
