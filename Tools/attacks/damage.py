"""Ways to damage bytes, numbers and texts."""
import json
import re

NUMBERS = [
    "0", "-0", "-1", "1e-300", "1e-45", "1e308", "-1e308", "1e400", "4.65e12", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "18446744073709551616", "2147483648", "4294967296", "1e999999", "0x10", "99999:59:59:59:59:59:59:59:59:59:59",
    "190:20:30", "2001-12-14", ".inf", ".nan", "-.inf", "NaN", "Infinity", "null", "true", "~", "0o777", "1_000", "\"1\"", "[]", "{}", "65536", "1000000007",
    "0.1", "3", "1e9", "99999999999999",
]

TEXTS = [
    "\x1b[2J\x1b]0;owned\x07", "a\nb\tc\rd", "\u202egnp.exe", "<script>alert(1)</script>", "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", "\t=1",
    "| a | b |", "[x](javascript:alert(1))", "![x](http://example.invalid/y.png)", "\u2028\u2029\u0085\u009b31m", "%n%s%@%d", "../../../etc/passwd", "/dev/zero",
    "a" * 300, "é" * 130, "-", "--help", "", " ", ".", "..", "*", "$(id)", "`id`", "\\", "'\"", "x" * 5000, "0", "con", "\ufeff", "👨‍👩‍👧",
]


def pick(random, good, bad, share=0.12):
    """Mostly the valid value, because the first error hides all later ones."""
    return random.choice(bad) if random.random() < share else good


def flipped(random, data, most=8):
    """Changes, removes, repeats and truncates bytes."""
    data = bytearray(data)
    for _ in range(random.randint(1, most)):
        if not data:
            return b""
        place = random.randrange(len(data))
        end = min(len(data), place + random.randint(1, 64))
        match random.randrange(7):
            case 0: data[place] ^= 1 << random.randrange(8)
            case 1: data[place] = random.randrange(256)
            case 2: data[place] = 0xFF
            case 3: del data[place:end]
            case 4: data[place:place] = data[place:end]
            case 5: data[place:end] = bytes(end - place)
            case _:
                if random.random() < 0.3:
                    del data[place:]
    return bytes(data)


def renumbered(random, text, most=3):
    """A text with some changed numbers."""
    places = list(re.finditer(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", text))
    for match in sorted(random.sample(places, min(len(places), random.randint(1, most))), key=lambda m: -m.start()):
        text = text[: match.start()] + random.choice(NUMBERS) + text[match.end():]
    return text


def value(random, depth=0):
    """Any JSON value."""
    match random.randrange(8 if depth < 3 else 5):
        case 0: return random.choice([0, -1, 1e308, 2**63, -(2**63), 2**64, 1e-300, 0.5, 224, 3, float("inf"), float("nan")])
        case 1: return random.choice(TEXTS)
        case 2: return None
        case 3: return random.random() < 0.5
        case 4: return random.randint(-10, 1000)
        case 5: return [value(random, depth + 1) for _ in range(random.randint(0, 4))]
        case 6: return {random.choice(TEXTS): value(random, depth + 1) for _ in range(random.randint(0, 3))}
        case _: return [[0.5, 0.5, 0.5], [1e-200] * 3, [1, 2], "x"][random.randrange(4)]


def changed_json(random, text):
    """JSON with a changed member, or invalid JSON."""
    way = random.randrange(7)
    if way == 0:
        return flipped(random, text.encode())
    if way == 1:
        return renumbered(random, text).encode()
    if way == 2:
        return ("[" * random.choice([10, 600, 20_000, 100_000])).encode()
    if way == 3:
        return ('{"a":' * random.choice([10, 600, 20_000]) + "1").encode()
    try:
        root = json.loads(text)
    except ValueError:
        return flipped(random, text.encode())
    place = root
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            break
        key = random.choice(keys)
        if isinstance(place[key], (dict, list)) and place[key] and random.random() < 0.75:
            place = place[key]
            continue
        if way == 4 and isinstance(place, dict):
            del place[key]
        elif way == 5 and isinstance(place, dict):
            place[random.choice(TEXTS)] = place.pop(key)
        else:
            place[key] = value(random)
        break
    return json.dumps(root, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
