"""For the attack on the explorer: valid requests and random damage to them. The same seed and number give the same bytes."""

import base64
import json
import random

from files import png
from hostile import GETS, PAGE

NUMBERS = [0, -0.0, -1, 1, 2, 1000, 1001, 65536, 2**31 - 1, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64, -2**63, -2**63 - 1, 10**30, 1e300, 1e-320,
           0.5, 1e400, float("nan"), float("-inf")]
TEXTS = ["", " ", "\0", "a" * 300, "x" * 100000, "../../etc/passwd", "/etc/passwd", "--help", "-o/tmp/x", "\u202e\u0007\u001b[31m", "\ud800", "é" * 200, "e\u0301",
         "\U0001f600" * 50, "%00%2e%2e", "${HOME}", "a\nb\r\nc", "NaN", "null", "top:0", "top:-1", "top:99999999999999999999", "class:-1", "class:1000000",
         "class:99999999999999999999", "class:1@0,0", "region:0", "box:1", "box:-5", "unit:", "unit:/", "unit:NODE/0@0,0", "unit:NODE/-1@-1,-1",
         "unit:NODE/0@999999999999,0", "unit:NODE/99999999999999", "unit:NODE/0@", "label:", "label:zebra", "cosine:0", "lrp:", "lrp:x=1", "clrp1:against=-1",
         "clrp1:against=99999999", "clrp1:strength=nan", "clrp1:against=1:strength=1e308", "gradient", "integrated-gradients:steps=1000000001", "integrated-gradients:steps=-1",
         "integrated-gradients:steps=0", "random:seed=-1", "grad-cam:layer=NODE", "NODE/0", "NODE/0+1+2", "NODE/-1", "NODE/", "/0", "NODE/99999999999999999999",
         "NODE/0@0,0", "NODE/" + "+".join(["0"] * 5000), "image:x", "file:0/a.png", "upload:0", "[" * 2000, "{a: " * 2000, "- " * 3000,
         "&a [*a, *a]", "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
         "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: [*g,*g,*g,*g,*g,*g,*g,*g,*g]\n"]


class Mutations:
    """Valid and damaged requests for every route of an explorer."""

    def __init__(self, explorer, nodes, seed):
        self.explorer, self.nodes, self.seed = explorer, nodes, seed
        self.image = png(24, 16)
        self.yaml = ""

    def question(self, chance):
        """The fields of a valid request. Each field is read by some route."""
        node = chance.choice(self.nodes)
        question = {"image": chance.choice(["file:0/a.png", "file:0/b.png"]), "client": chance.choice(["", "one", "two"]), "target": chance.choice(["top:1", "class:1"]),
                    "node": node, "channel": 0, "channels": [0, 1], "pixel": [3, 4], "top": 3, "method": chance.choice(["lrp", "gradient", "clrp1:against=2"]),
                    "order": "relevance", "fit": chance.choice(["crop", "whole"]), "through": [], "nodes": [node], "exclusive": True, "ledger": False}
        if chance.random() < 0.3:
            question["edits"] = {"fill": chance.choice(["mean", "zero", "blur"]), "strokes": [{"radius": 4.5, "points": [1, 2, 30, 40]}]}
        if chance.random() < 0.2:
            question["rules" if chance.random() < 0.5 else "table"] = self.yaml if chance.random() < 0.5 else "epsilon"
        if chance.random() < 0.1:
            question["data"] = base64.b64encode(self.image).decode()
            del question["image"]
        return question

    def change(self, chance, question):
        """Puts an unexpected value into a request."""
        key = chance.choice(list(question))
        node = chance.choice(self.nodes)
        number = chance.choice(NUMBERS)
        text = chance.choice(TEXTS).replace("NODE", node)
        kind = chance.randrange(10)
        if kind == 0:
            question[key] = number
        elif kind == 1:
            question[chance.choice(["target", "method", "through", "rules", "table", "model", "image", "node", "order", "data", "fit", "client"])] = text
        elif kind == 2:
            question["through"] = chance.choice([[text], [text] * 200, [number], [f"{node}/{chance.choice([0, -1, 10**6, 10**19])}"], [[]], {}])
        elif kind == 3:
            question[chance.choice(["channels", "pixel", "nodes", "methods"])] = chance.choice(
                [[number], [number, number], [text], [0] * 100000, list(range(-5, 5)), [[0]], {}, [None], [node] * 50])
        elif kind == 4:
            question["edits"] = chance.choice([
                {"strokes": []}, {"strokes": [{"radius": number, "points": [number, 1]}]}, {"strokes": [{"radius": 4096, "points": [0.5, 1e6] * 50}]}, {"fill": text, "strokes": []},
                {"strokes": [{"radius": 1, "points": [1]}]}, {"strokes": [{"radius": 1e-300, "points": [1, 1, 1, 1]}]}, {"strokes": [{}] * 1000}, {"strokes": [{"radius": 1, "points": [1, 2] * 25000}]}, number, text])
        elif kind == 5:
            question[text[:50]] = number
        elif kind == 6:
            question[key] = chance.choice([None, [], {}, True, [question[key]], {"a": question[key]}, str(question[key])])
        elif kind == 7:
            question[chance.choice(["top", "channel", "pixel", "channels"])] = number
        elif kind == 8:
            question.pop(key)
        else:
            question["nodes" if chance.random() < 0.5 else "methods"] = [chance.choice(TEXTS).replace("NODE", node) for _ in range(3)]

    def body(self, chance, question):
        """The bytes of a request's body, sometimes as unusual or invalid JSON."""
        text = json.dumps(question)
        kind = chance.randrange(12)
        if kind == 0:
            text = text.replace("}", ', "a": ' + "[" * chance.choice([10, 500, 600, 100000]) + "}", 1)
        elif kind == 1:
            text = "[" * chance.choice([1, 100, 100000]) + text
        elif kind == 2:
            text = text[:-1] + "," + text[1:]
        elif kind == 3:
            text = "{" + '"a":{' * 511 + "}" * 511 + "}"
        raw = text.encode("utf-8", "surrogatepass")
        if kind == 4:
            raw = chance.choice([b"\xef\xbb\xbf" + raw, raw.replace(b"a", b"\xff\xfe", 1), text.encode("utf-16", "surrogatepass"), text.encode("utf-32", "surrogatepass"), b"", b"\0", b"null", b"true", b'"', b"1e999", b"{}"])
        return raw

    def valid(self, chance):
        """A request for an existing resource, as (method, target, headers, body)."""
        headers = [*self.explorer.usual]
        place = chance.random()
        if place < 0.06:
            return "GET", chance.choice(PAGE + ["/api/overview", "/api/memory"]), headers, b""
        if place < 0.18:
            target = chance.choice(GETS).replace("{model}", self.explorer.model)
            if "image=" in target:
                target += chance.choice(["", f"&node={chance.choice(self.nodes)}&position=1,1", "&position=-1,99999999999999999999", "&fit=native", "&model=%00", "&image=upload:0"])
            return "GET", target, headers, b""
        if place < 0.24:
            return "POST", "/api/images?name=" + chance.choice(["a.png", "%F0%9F%98%80", "%00", "%ff", "x" * 2000]), headers + [("Content-Type", "image/png")], self.image
        name = chance.choice(["predict", "plan", "layer", "units", "ablate", "references", "image", "explain"] * 8 + ["page", "batch", "index"])
        if name == "explain":
            headers.append(("Accept", chance.choice(["application/json", "application/x-npy", "image/png", "image/png; alone", "*/*", "\xff"])))
        if place < 0.3 and name not in ("batch", "index"):
            return "POST", f"/api/{name}?" + chance.choice(["", "fit=whole", "target=class:1", "through=x/0", "a=b", "client=%ff"]), headers + [("Content-Type", "image/png")], self.image
        question = self.question(chance)
        for _ in range(chance.choice([0, 0, 1, 1, 1, 2, 3])):
            self.change(chance, question)
        return "POST", f"/api/{name}", headers + [("Content-Type", chance.choice(["application/json"] * 5 + ["text/plain"]))], self.body(chance, question)

    def head(self, chance, method, target, headers, body):
        """The bytes of a request, sometimes with an unusual or invalid header."""
        kind = chance.randrange(24)
        if kind == 0:
            method = chance.choice(["PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "CONNECT", "get", "X" * 500, "G\0T", "\xff"])
        elif kind == 1:
            target = chance.choice([target + "?" + "a=" * 3000, target.upper(), "/" + target, target + "/", target + "%00", "*", "", target.replace("/", "\\"), "/%ff%fe", "/" + "a/" * 4000, target + "#x", target + "?%", "/api/models/" + "%2f" * 20 + "/labels"])
        elif kind == 2:
            headers += [(chance.choice(["X", "Cookie", "Accept", "Content-Type", "Expect", "Range", "If-None-Match", "Upgrade", "Connection"]),
                         chance.choice(["", "a" * 5000, "a" * 9000, "100-continue", "bytes=0-1", "h2c", "websocket", "\xff\xfe", "keep-alive, close", "=;=;;", "multipart/form-data"]))] * chance.choice([1, 1, 2, 120])
        length = ("Content-Length", str(len(body)))
        if kind == 3:
            length = chance.choice([("Content-Length", chance.choice(["-1", "99999999999999999999", "0x10", "+5", "5 5", "", "nan", "9223372036854775807", "46137344"])), ("Transfer-Encoding", "chunked"),
                                    ("Transfer-Encoding", "gzip"), ("Transfer-Encoding", "chunked, chunked")])
        elif kind == 4:
            headers.append(("Content-Length", str(len(body) + 1)))
        elif kind == 5:
            headers.append(("Transfer-Encoding", "chunked"))
        elif kind == 6:
            body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (body[i:i + 7] for i in range(0, min(len(body), 700), 7))) + chance.choice([b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"-1\r\n", b"ffffffffffffffffff\r\n", b""])
            length = ("Transfer-Encoding", "chunked")
        version = chance.choice(["HTTP/1.1"] * 200 + ["HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/9.9", "", "HTTP/1.1 x"])
        lines = [f"{method} {target} {version}", *[f"{name}: {value}" for name, value in headers]]
        if method != "GET" or body:
            lines.append(f"{length[0]}: {length[1]}")
        end = chance.choice(["\r\n"] * 100 + ["\n", "\r"])
        return (end.join(lines) + end + end).encode("latin-1", "replace") + body

    def request(self, number):
        """The request with a number."""
        chance = random.Random(f"{self.seed}/{number}")
        raw = bytearray(self.head(chance, *self.valid(chance)))
        kind = chance.randrange(10)
        if kind < 4:
            # Mostly damages the body, because a damaged token only leads to status 401.
            first = raw.find(b"\r\n\r\n") + 4 if chance.random() < 0.6 else 0
            for _ in range(chance.choice([1, 1, 2, 5])):
                if not first < len(raw):
                    break
                place, size = chance.randrange(first, len(raw)), chance.choice([1, 2, 8, 40])
                if kind == 0:
                    raw[place] ^= 1 << chance.randrange(8)
                elif kind == 1:
                    del raw[place:place + size]
                elif kind == 2:
                    raw[place:place] = raw[place:place + size] * chance.choice([1, 2, 50])
                else:
                    raw[place:place + size] = chance.randbytes(size)
        return bytes(raw)
