"""Cases with a hostile model or data set."""
import json
import struct

from .damage import NUMBERS, TEXTS, changed_json, flipped, pick, renumbered
from .harness import FIXTURES, MODEL, SCENES

SMALL = sorted(FIXTURES.glob("operators/*/model.onnx"))
INPUT = str(SCENES / "005.png")


def varint(number):
    number &= 2**64 - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out + bytes([number]))


def member(number, content):
    """A field of a protocol buffer message: a number, or bytes with their length."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    if isinstance(content, str):
        content = content.encode("utf-8", "surrogateescape")
    return varint(number << 3 | 2) + varint(len(content)) + content


def external_model(random, case):
    """A layer whose weights are in an external, hostile file."""
    places = ["weights.bin", "../weights.bin", "/etc/passwd", "/dev/zero", "../../../../../../etc/shadow", ".", "", "missing", "a" * 300, "w\n\x1b[2J", "fifo", "loop"]
    sizes = ["0", "864", "-1", "4096", "18446744073709551615", "9223372036854775807", "1e9", "", "x", "99999999999999"]
    entries = {"location": pick(random, "weights.bin", places, 0.3)}
    if random.random() < 0.6:
        entries["offset"] = pick(random, "0", sizes, 0.4)
    if random.random() < 0.6:
        entries["length"] = pick(random, "864", sizes, 0.4)
    if random.random() < 0.2:
        entries["checksum"] = random.choice(TEXTS)
    case.write("weights.bin", bytes(pick(random, 864, [0, 1, 863, 2592, 10_000])))
    (case.folder / "loop").symlink_to("loop")
    shape = pick(random, [8, 3, 3, 3], [[2**31, 2**31, 2, 2], [-1, 3, 3, 3], [0], [8, 3, 3000, 3000], [10**6, 3, 1000, 1000]])
    tensor = b"".join(member(1, d) for d in shape) + member(2, pick(random, 1, [10, 11, 16, 99])) + member(8, "w")
    tensor += b"".join(member(13, member(1, k) + member(2, v)) for k, v in entries.items()) + member(14, 1)
    pads = member(1, "pads") + b"".join(member(8, n) for n in pick(random, [1, 1, 1, 1], [[2**31] * 4, [2**62] * 4, [-5] * 4])) + member(20, 7)
    strides = member(1, "strides") + b"".join(member(8, n) for n in pick(random, [1, 1], [[0, 0], [2**63 - 1] * 2])) + member(20, 7)
    node = member(1, "x") + member(1, "w") + member(2, "y") + member(3, pick(random, "conv", TEXTS, 0.3)) + member(4, "Conv") + member(5, pads) + member(5, strides)
    sides = pick(random, [1, 3, 64, 64], [[1, 3, 2**40, 2**40], [1, 3, 30_000, 30_000], [0, 3, 64, 64], [-1, 3, 64, 64]])

    def named(name):
        kind = member(1, 1) + member(2, b"".join(member(1, member(1, d)) for d in sides)) if name == "x" else member(1, 1)
        return member(1, name) + member(2, member(1, kind))

    graph = member(1, node) + member(2, random.choice(["g"] + TEXTS)) + member(5, tensor) + member(11, named("x")) + member(12, named("y"))
    case.write("model.onnx", member(1, 8) + member(7, graph) + member(8, member(1, "") + member(2, pick(random, 17, [13, 0, -1, 2**40]))))


def networks(random, case):
    match random.randrange(5):
        case 0 | 1: external_model(random, case)
        case 2: case.write("model.onnx", flipped(random, random.choice(SMALL).read_bytes()))
        case 3:
            data = random.choice(SMALL).read_bytes()
            place = random.randrange(len(data))
            case.write("model.onnx", data[:place] + varint(random.choice([2**63, 2**64 - 1, 2**32, 2**31 - 1, 0])) + data[place + 1:])
        case _: case.write("model.onnx", flipped(random, (MODEL / "model.onnx").read_bytes()))
    match random.randrange(5):
        case 0: case.arguments = ["inspect", "model.onnx"]
        case 1: case.arguments = ["predict", "model.onnx", INPUT]
        case 2: case.arguments = ["explain", "model.onnx", INPUT, "--output", "out", "--save", "json,png"]
        case 3: case.arguments = ["doctor", "model.onnx"]
        case _: case.tool, case.arguments = "convert-model", ["model.onnx", "out.onnx"]


ANNOTATION = """<annotation><folder>VOC</folder><filename>a.jpg</filename><size><width>64</width><height>64</height><depth>3</depth></size>
<object><name>1</name><difficult>0</difficult><bndbox><xmin>5</xmin><ymin>6</ymin><xmax>30</xmax><ymax>40</ymax></bndbox></object>
<object><name>7</name><bndbox><xmin>31</xmin><ymin>6.5</ymin><xmax>60</xmax><ymax>60</ymax></bndbox></object></annotation>"""
ENTITIES = '<!DOCTYPE a [<!ENTITY x0 "xxxxxxxxxx">' + "".join(f'<!ENTITY x{i} "{f"&x{i - 1};" * 10}">' for i in range(1, 9)) + "]>"


def annotation(random):
    text = ANNOTATION
    match random.randrange(7):
        case 0: text = renumbered(random, text)
        case 1: text = ENTITIES + text.replace(">1<", ">&x8;<")
        case 2: return (ENTITIES + text.replace(">1<", ">&x8;<")).encode("utf-16")
        case 3: text = '<!DOCTYPE a SYSTEM "file:///etc/passwd">' + text
        case 4: text = "<annotation>" + "<object>" * random.choice([5, 1000, 200_000])
        case 5: text = text.replace(random.choice(["1<", "bndbox", "xmin", "name"]), random.choice(TEXTS))
        case _: return flipped(random, text.encode())
    return text.encode("utf-8", "replace")


def data_sets(random, case):
    scenes = sorted(SCENES.glob("00?.png"))[:3]
    kind = random.choice(["manifest", "lines", "coco", "voc", "folder"])
    options = []
    if kind == "manifest":
        rows = ["image,class,left,top,right,bottom,difficult"] + [f"{p},{random.choice('0123456789')},1,2,30,40,0" for p in scenes]
        text = "\n".join(rows) + "\n"
        text = random.choice([renumbered(random, text), text.replace("1,2", f'"{random.choice(TEXTS)}"'), flipped(random, text.encode()).decode("latin-1"), '"' * 9999 + text])
        data = case.write("data.csv", text)
    elif kind == "lines":
        rows = [json.dumps({"image": str(p), "classes": ["1"], "objects": [{"class": 7, "box": [0, 0, 9, 9]}]}) for p in scenes]
        rows[0] = changed_json(random, rows[0]).decode("utf-8", "replace")
        data = case.write("data.jsonl", "\n".join(rows))
    elif kind == "coco":
        whole = json.loads((SCENES / "instances.json").read_text())
        images = whole["images"][:3]
        part = {"images": images, "categories": whole["categories"], "annotations": [a for a in whole["annotations"] if a["image_id"] in [i["id"] for i in images]]}
        data = case.write("instances_x.json", changed_json(random, json.dumps(part)))
        options = ["--images", str(SCENES)]
    elif kind == "voc":
        for name in "ab":
            case.write(f"data/Annotations/{name}.xml", annotation(random) if name == "a" else ANNOTATION)
            case.copy(scenes[0], f"data/JPEGImages/{name}.png")
        case.write("data/ImageSets/Main/val.txt", pick(random, "a\nb\n", ["a\n../../x\n", "a 1\nb -1\n", "\n".join(TEXTS)]))
        data = "data"
    else:
        for text in ["1", random.choice(TEXTS), random.choice(NUMBERS)]:
            name = text.replace("/", "_").replace("\0", "")[:60] or "2"
            if name not in (".", ".."):
                case.copy(scenes[0], f"data/{name}/{random.choice(['a', name])}.png")
        data = "data"
    if random.random() < 0.25:
        options += ["--classes", case.write("classes.json", changed_json(random, json.dumps({str(i): i for i in range(10)})))]
    if random.random() < 0.4:
        options.append("--skip-unknown-classes")
    method = random.choice(["lrp", "random", "gradient"])
    evaluation = random.choice(["pointing", "ablation", "deletion", "border", "similarity", "stability"])
    case.arguments = ["evaluate", evaluation, str(MODEL), data, "--output", "out", "--resamples", "20", "--limit", "2", "--method", method, *options]
