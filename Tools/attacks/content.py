"""Cases with hostile files: images, tensors, configurations, rule tables, data sets, journals."""
import json
import struct
import zlib

from .damage import NUMBERS, TEXTS, changed_json, flipped, pick, renumbered, value
from .harness import FIXTURES, MODEL, SCENES

IMAGES = sorted(FIXTURES.glob("imaging/*/*.png")) + sorted(FIXTURES.glob("imaging/*/*.jpg"))


def seen(random, name):
    """A command that reads an input file."""
    return random.choice([
        ["predict", str(MODEL), name], ["predict", str(MODEL), name, "--fit", "whole"], ["predict", str(MODEL), name, "--fit", "native"],
        ["explain", str(MODEL), name, "--output", "out", "--save", random.choice(["json", "png", "npy", "html", "json,html"])],
        ["doctor", str(MODEL), name],
    ])


def chunk(kind, data, length=None, checksum=None):
    crc = zlib.crc32(kind + data) if checksum is None else checksum
    return struct.pack(">I", len(data) if length is None else length) + kind + data + struct.pack(">I", crc)


def png_bomb(random):
    """A small file of a large image, or a file whose header does not match its content."""
    sizes = [0, 1, 2, 63, 64, 65, 1000, 4096, 20_000, 65_535, 1_000_000, 2**31 - 1, 2**31, 2**32 - 1]
    width, height = random.choice(sizes), random.choice(sizes)
    depth, color = random.choice([1, 2, 4, 8, 16, 3, 0, 255]), random.choice([0, 2, 3, 4, 6, 1, 7])
    header = struct.pack(">IIBBBBB", width, height, depth, color, random.choice([0, 0, 0, 1]), random.choice([0, 0, 1]), random.choice([0, 0, 1, 2]))
    body = zlib.compress(bytes(random.choice([0, 100, 10_000, 4_000_000])), 9)
    extra = b"".join(
        chunk(random.choice([b"tRNS", b"PLTE", b"iCCP", b"eXIf", b"iTXt", b"zTXt", b"gAMA", b"acTL", b"IHDR"]), bytes(random.choices(range(256), k=random.randint(0, 40))))
        for _ in range(random.randint(0, 2)))
    idat = chunk(b"IDAT", body, length=random.choice([None, None, None, 0, 2**31 - 1, 2**32 - 1]))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + idat + (chunk(b"IEND", b"") if random.random() < 0.7 else b"")


def changed_header(random, data):
    """An image with a changed field in its header and valid checksums."""
    data = bytearray(data)
    if data[:4] == b"\x89PNG":
        place = 16 + random.randrange(13)
        data[place] = random.choice([0, 1, 2, 3, 4, 8, 16, 127, 128, 255])
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
        return bytes(data)
    marks = [i for i in range(len(data) - 4) if data[i] == 0xFF and data[i + 1] not in (0, 0xFF) and not 0xD0 <= data[i + 1] <= 0xD7]
    place = random.choice(marks or [0]) + random.randrange(1, 12)
    if place < len(data):
        data[place] = random.choice([0, 1, 2, 3, 4, 8, 17, 127, 128, 255])
    return bytes(data)


def images(random, case):
    source = random.choice(IMAGES)
    data = source.read_bytes()
    match random.randrange(6):
        case 0: data, suffix = png_bomb(random), ".png"
        case 1: data, suffix = data[: random.randrange(len(data))], source.suffix
        case 2 | 3: data, suffix = changed_header(random, data), source.suffix
        case 4: data, suffix = flipped(random, data), source.suffix
        case _: data, suffix = data, random.choice([".jpg", ".png", ".jpeg", ".npy"])
    # The allowed decoded size: up to 100 million pixels, if the header declares so many.
    case.decoded = 0 if len(data) < 64 else 3 * min(pixels(data), 200_000_000)
    case.arguments = seen(random, case.write("image" + suffix, data))


def pixels(data):
    if data[:4] == b"\x89PNG":
        width, height = struct.unpack(">II", data[16:24])
        return width * height
    place = next((i for i in range(len(data) - 9) if data[i] == 0xFF and data[i + 1] in (0xC0, 0xC1, 0xC2)), None)
    return 0 if place is None else int.from_bytes(data[place + 5:place + 7], "big") * int.from_bytes(data[place + 7:place + 9], "big")


def tensors(random, case):
    shapes = ["(1, 3, 64, 64)", "(3, 64, 64)", "(2, 3, 64, 64)", "()", "(0,)", "(0, 3, 64, 64)", "(1, 3, -64, 64)", "(9223372036854775807, 2)", "(3037000500, 3037000500)",
              "(1,) * 70", "(" + "1, " * 80 + ")", "(4294967296, 4294967296)", "(1, 3, 64, 65536)", "1", "(1 3)", "(1.5, 2)", "(99999999999999999999,)", "(1, 3, 1000000, 1000000)"]
    kinds = ["<f4", "<f8", "<f2", "<i4", "<i8", "|u1", ">f4", "|O", "|V8", "<f16", "<c8", "", "'", "<f4, <f4"]
    text = f"{{'descr': '{pick(random, '<f4', kinds, 0.3)}', 'fortran_order': {pick(random, 'False', ['True', '0', '[]'])}, 'shape': {pick(random, random.choice(shapes[:3]), shapes, 0.4)}, }}"
    if random.random() < 0.1:
        text = text.replace(random.choice(["descr", "shape", ":", "'", ")"]), random.choice(TEXTS))
    text = text.encode("utf-8", "replace") + b" " * 20 + b"\n"
    version = pick(random, 1, [2, 3, 0, 4, 255])
    length = pick(random, len(text), [0, 1, 65535, 2**32 - 1])
    size = struct.pack("<I", length) if version > 1 else struct.pack("<H", length & 0xFFFF)
    count = pick(random, 2 * 3 * 64 * 64 * 8, [0, 1, 100, 3 * 64 * 64 * 4])
    body = random.choice([bytes(count), struct.pack("<f", float(random.choice(["nan", "inf", "1e38", "-1e38", "1e-45"]))) * (count // 4)])
    data = b"\x93NUMPY" + bytes([version, random.choice([0, 0, 9])]) + size + text + body
    if random.random() < 0.2:
        data = flipped(random, data)
    if random.random() < 0.15:
        case.stdin = data
        case.arguments = ["predict", str(MODEL), random.choice(["-", "/dev/stdin"])]
        return
    case.inputs = 2
    case.arguments = seen(random, case.write("input.npy", data))


def configurations(random, case):
    """The files beside a model."""
    case.copy(MODEL, "model")
    name = random.choice(["config.json", "preprocessor_config.json"])
    text = (MODEL / name).read_text()
    if random.random() < 0.3:
        timm = {"input_size": [3, 64, 64], "mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "crop_pct": 0.9, "crop_mode": "center"}
        timm[random.choice(list(timm))] = value(random)
        text = json.dumps({"architecture": "x", "num_classes": 10, "pretrained_cfg": timm, "label_names": [random.choice(TEXTS) for _ in range(10)]})
        name = "config.json"
    if name == "config.json" and random.random() < 0.4:
        text = json.dumps({"id2label": {str(i): random.choice(TEXTS) for i in range(10)}})
        (case.folder / "model/config.json").write_text(text)
    else:
        case.write("model/" + name, changed_json(random, text))
    command = seen(random, str(SCENES / "005.png"))
    command[1] = "model"
    if random.random() < 0.2:
        command = ["explain", "model", str(SCENES / "005.png"), "--output", "out", "--target", "label:" + random.choice(TEXTS).replace("\0", "")]
    case.arguments = command


TABLE = """name: own
extends: EpsilonPlus
rules:
  - {op: Conv, rank: 4, live: 1, position: first, rule: zB}
  - {op: [Conv, Gemm], name: "conv*", rule: gamma, gamma: 0.25}
  - {op: Gemm, optional: true, rule: epsilon, epsilon: 1e-6}
  - {op: Conv, rule: alphaBeta, alpha: 2, beta: 1}
"""


def tables(random, case):
    """Rule tables in YAML."""
    match random.randrange(6):
        case 0: text = renumbered(random, TABLE)
        case 1: text = TABLE.replace(random.choice(["4", "0.25", "1e-6", "own", "EpsilonPlus", "Conv", "first", "true"]), random.choice(NUMBERS))
        case 2: text = TABLE.replace(random.choice(["own", "conv*", "gamma", "zB", "rank", "Gemm"]), json.dumps(random.choice(TEXTS)))
        case 3:
            lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, random.randint(2, 12))]
            text = "\n".join(lines) + "\n" + TABLE
        case 4: text = random.choice(["[" * 50_000, "{a: " * 20_000, "- " * 20_000, "&a [*a]", "? " * 10_000, "!!python/object:os.system x", "---\n" * 1000, "%YAML 9.9\n---\n"])
        case _: text = None
    data = flipped(random, TABLE.encode()) if text is None else text.encode("utf-8", "replace")
    name = case.write("rules.yaml", data)
    case.arguments = random.choice([["inspect", str(MODEL), "--rules", name], ["explain", str(MODEL), str(SCENES / "005.png"), "--rules", name, "--output", "out", "--save", "json"]])


def journals(random, case, seeds):
    """The merge of a damaged journal."""
    name, text = random.choice(sorted(seeds.items()))
    lines = text.split("\n")
    match random.randrange(6):
        case 0 | 1:
            number = random.randrange(len(lines) - 1)
            lines[number] = renumbered(random, lines[number])
            data = "\n".join(lines).encode()
        case 2:
            number = random.randrange(len(lines) - 1)
            lines[number] = changed_json(random, lines[number]).decode("utf-8", "replace").replace("\n", " ")
            data = "\n".join(lines).encode("utf-8", "replace")
        case 3: data = flipped(random, text.encode())
        case 4:
            head = json.loads(lines[0])
            key = random.choice(sorted(head["configuration"]))
            head["configuration"][key] = [random.choice(TEXTS + NUMBERS)] * random.choice([1, 1, len(head["configuration"][key]), 5000])
            lines[0] = json.dumps(head)
            data = "\n".join(lines).encode("utf-8", "surrogatepass")
        case _:
            entry = json.loads(lines[1])
            entry["name"] = random.choice(TEXTS)
            if random.random() < 0.5:
                entry.pop("record", None)
                entry["error"] = random.choice(TEXTS)
            lines[1] = json.dumps(entry)
            data = "\n".join(lines).encode("utf-8", "surrogatepass")
    case.arguments = ["evaluate", "merge", case.write("journal.jsonl", data), "--output", "out", "--resamples", "20"]
