"""Attacks without access: without the token, from pages of other sites, under other host names, and for other files."""

import itertools
import json
import os
import urllib.parse

from hostile import request


class Strangers:
    """Attacks without access: without the token, from pages of other sites, under other host names, and for other files."""

    def strangers(self):
        """Requests without the token are rejected."""
        explorer = self.explorer
        token, cookie, host = explorer.token, f"relevance-explorer-{explorer.port}", ("Host", explorer.host)
        wrong = [
            [], [("Authorization", "Bearer ")], [("Authorization", f"Bearer {token[:-1]}")], [("Authorization", f"Bearer {token}0")],
            [("Authorization", f"Bearer  {token}")], [("Authorization", f"bearer {token[::-1]}")], [("Authorization", f"Basic {token}")],
            [("Authorization", f"Bearer {token.upper()}")], [("Authorization", f"Bearer {token}\tx")], [("Cookie", f"{cookie}={token[:-1]}")],
            [("Cookie", f"{cookie}={'0' * len(token)}")], [("Cookie", f"relevance-explorer-{explorer.port + 1}={token}")],
            [("Cookie", f"relevance-explorer={token}")], [("Cookie", f"{cookie}")], [("Cookie", f"{cookie}=")], [("Cookie", f"{cookie.upper()}={token}")],
            [("Cookie", f"x={cookie}={token}")], [("Token", token)], [("X-Token", token)], [("Proxy-Authorization", f"Bearer {token}")],
            [("Authorization", b"Bearer \xff\xfe")], [("Authorization", f"Bearer {token[:-1]}"), ("Cookie", f"{cookie}={token}")]]
        for method, target, body in self.routes():
            for headers in wrong if target in ("/", "/api/overview", "/api/predict") else wrong[:3] + wrong[9:11]:
                self.answers(f"{method} {target} with {headers}", request(method, target, [host, *headers], body), 401)
        for query in (f"token={token[:-1]}", f"t={token}", f"TOKEN={token}", f"xtoken={token}", "token=", "token", f"token%20={token}", f"access_token={token}",
                      f"token={token}x", f"token=%00{token}"):
            self.answers(f"/?{query}", request("GET", "/?" + query, [host]), 401)
        for target in ("/api/overview", "/explorer.js", "/api/openapi.json", "//", "/index.html"):
            self.answers(f"{target} with the token in its address", request("GET", f"{target}?token={token}", [host]), 401)
        self.answers("POST / with the token in its address", request("POST", f"/?token={token}", [host]), 401)
        answer = self.answers("/ with the token in its address", request("GET", f"/?token={token}", [host]), 303)
        given = answer["set-cookie"]
        self.expect("the cookie is for this service only", given.startswith(f"{cookie}={token};") and "HttpOnly" in given and "SameSite=Strict" in given, given)
        self.expect("the token is removed from the address", answer["location"] == "/", answer["location"])
        for method, target, body in self.routes():
            if method == "GET":
                self.answers(f"{target} with the cookie", request(method, target, [host, ("Cookie", f"a=b; {cookie}={token}; c=d")]), 200)
                self.answers(f"{target} with the token", explorer.get(target), 200)
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD", "X"):
            self.answers(f"{method} /api/overview", request(method, "/api/overview", explorer.usual), *([400] if method == "X" else [404, 405]))
        self.answers("preflight", request("OPTIONS", "/api/predict", [host, ("Origin", "http://evil.example"), ("Access-Control-Request-Method", "POST")]), 401, 403)

    def pages(self):
        """Requests from pages of other sites, and with host names that are not the service's, are rejected."""
        explorer, port = self.explorer, self.explorer.port
        for origin in ("http://evil.example", "null", "", "https://" + explorer.host, f"http://127.0.0.1:{port + 1}", "http://127.0.0.1", f"http://{explorer.host}.evil.example",
                       f"http://{explorer.host}/", f"http://evil.example:{port}", f"http://{explorer.host}@evil.example", f"http://evil@{explorer.host}", "file://", explorer.host,
                       f"ws://{explorer.host}", f"http://{explorer.host}, http://evil.example", f"http://evil.example, http://{explorer.host}", f"http://[::1]x:{port}", "http://",
                       f"http:// {explorer.host}", f"chrome-extension://{explorer.host}"):
            for method, target, body in itertools.islice(self.routes(), 0, None, 5):
                self.answers(f"Origin {origin!r}", request(method, target, [*explorer.usual, ("Origin", origin)], body), 403)
        for first, second in ((f"http://{explorer.host}", "http://evil.example"), ("http://evil.example", f"http://{explorer.host}")):
            self.answers("two origins", request("GET", "/api/overview", [*explorer.usual, ("Origin", first), ("Origin", second)]), 403)
        self.answers("own origin", request("GET", "/api/overview", [*explorer.usual, ("Origin", f"http://{explorer.host}")]), 200)
        for method, target, body in self.routes():
            for site in ("cross-site", "same-site"):
                self.answers(f"Sec-Fetch-Site {site}", request(method, target, [*explorer.usual, ("Sec-Fetch-Site", site)], body), 403)
                if target != "/":
                    self.answers(f"Sec-Fetch-Site {site}, navigate", request(
                        method, target, [*explorer.usual, ("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", "navigate")], body), 403)
        for site in ("", "x", "same-origin, cross-site", "none cross-site", "Same-Origin\u00a0"):
            self.answers(f"Sec-Fetch-Site {site!r}", request("GET", "/api/overview", [*explorer.usual, ("Sec-Fetch-Site", site)]), 403)
        self.answers("Sec-Fetch-Site twice", request("GET", "/api/overview", [*explorer.usual, ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")]), 403)
        self.answers("a link leads to the page", request("GET", "/", [*explorer.usual, ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate")]), 200)
        for host in (f"evil.example:{port}", "evil.example", "127.0.0.1", "localhost", "", f":{port}", f"127.0.0.1:{port + 1}", f"127.0.0.1:{port}x", f"127.0.0.1:0{port}", f"127.0.0.1:+{port}",
                     f"127.0.0.1:{port}:{port}", f"evil.example@127.0.0.1:{port}", f"127.0.0.1:{port}@evil.example", f"127.0.0.1:{port}, evil.example", f"127.0.0.1:{port}.evil.example",
                     f"localhost.:{port}", f"127.1:{port}", f"127.0.0.2:{port}", f"2130706433:{port}", f"0x7f000001:{port}", f"0.0.0.0:{port}", f"[::]:{port}", f"[::1]evil.example:{port}",
                     f"[::1:{port}", f"[::ffff:127.0.0.1]:{port}", f"[::1%lo]:{port}", f"[evil.example]:{port}", f"127.0.0.1/evil.example:{port}", f"127.0.0.1#:{port}", f"xn--evil:{port}",
                     f"ℓocalhost:{port}", f"127.0.0.1\u3002evil:{port}", f"http://127.0.0.1:{port}", f"localhost:{port}\t.evil", f"127.0.0.1:{port}\0"):
            self.answers(f"Host {host!r}", request("GET", "/api/overview", [("Host", host), explorer.admission]), 421, 400)
            self.answers(f"Host {host!r}, with the token in the address", request("GET", f"/?token={explorer.token}", [("Host", host)]), 421, 400)
        for host in (f"localhost:{port}", f"LocalHost:{port}", f"[::1]:{port}"):
            self.answers(f"Host {host!r}", request("GET", "/api/overview", [("Host", host), explorer.admission]), 200)
        for hosts in itertools.permutations((f"127.0.0.1:{port}", f"evil.example:{port}")):
            self.answers(f"hosts {hosts}", request("GET", "/api/overview", [*[("Host", host) for host in hosts], explorer.admission]), 421, 400)
        for head in (b"GET /api/overview HTTP/1.1\r\n", b"GET /api/overview HTTP/1.0\r\n"):
            self.answers("no host", head + f"Authorization: Bearer {explorer.token}\r\n\r\n".encode(), 421, 400)
        for authority in (f"evil.example:{port}", "evil.example", f"user@{explorer.host}", f"{explorer.host}@evil.example", f"EVIL.example:{port}", f"[::2]:{port}"):
            for host in (explorer.host, authority):
                # Browsers send such targets only to proxies; for other clients the Host header counts.
                own = [200] if host == explorer.host else []
                self.answers(f"absolute target of {authority} and Host {host}", request(
                    "GET", f"http://{authority}/api/overview", [("Host", host), explorer.admission]), 400, 403, 404, 421, *own)
        for target in ("*", explorer.host, f"//evil.example:{port}/api/overview", f"//{explorer.host}/api/overview", "api/overview"):
            self.answers(f"target {target}", request("GET", target, explorer.usual), 400, 403, 404, 421)
        self.answers("CONNECT", request("CONNECT", f"evil.example:{port}", explorer.usual), 0, 400, 403, 404, 405, 421)

    def paths(self):
        """Files outside the folders cannot be read under any name."""
        explorer, outside = self.explorer, str(self.outside)
        up = "../" * 12
        names = [
            "file:0/../outside/secret.png", f"file:0/{up}etc/passwd", "file:0//etc/passwd", f"file:0/{outside}/secret.png", f"file:0/{up}{outside}/secret.png", "file:0/", "file:0", "file:/",
            "file:99/a.png", "file:-1/a.png", "file:1/a.png", "file:9223372036854775808/a.png", "file:0x0/a.png", "file: 0/a.png", "file:0.0/a.png", "file:/a.png", "FILE:0/a.png",
            f"file://{outside}/secret.png", outside + "/secret.png", "../outside/secret.png", "file:0/link.png", "file:0/text.png", "file:0/folder/secret.png", "file:0/passwd.png", "file:0/zero.png",
            "file:0/loop.png", "file:0/pipe.png", "file:0/socket.png", "file:0/folder.png", "file:0/folder.png/", "file:0/below/../../outside/secret.png", "file:0/below/../link.png",
            "file:0/%2e%2e/outside/secret.png", "file:0/..%2foutside%2fsecret.png", "file:0/%252e%252e/outside/secret.png", "file:0/..\\outside\\secret.png", "file:0/a.png\0",
            "file:0/../outside/secret.txt\0.png", "file:0/a.png/../../outside/secret.png", "file:0/\uff0e\uff0e/outside/secret.png", "file:0/..;/outside/secret.png", "file:0/" + "a" * 300 + ".png",
            "file:0/" + "a/" * 3000 + "a.png", "file:0/" + "../" * 3000 + "etc/hostname.png", "file:0/~/a.png", "file:0/$HOME/a.png", "file:0/*.png", "file:0/a.PNG.txt", "upload:", "upload:0", "",
            "/", ".", "file:0/.", "file:0/..", "file:0/../images/../outside/secret.png", "file:0/\ud7ff.png", "/proc/self/environ", "file:0/../../../proc/self/environ", "http://127.0.0.1/a.png",
            "data:image/png;base64,AAAA", "file:0/damaged.png", "file:0/bomb.png", "file:0/bomb.jpg"]
        if os.geteuid():
            names.append("file:0/closed.png")
        for name in names:
            allowed = (400, 404, 413, 414, 422)
            for target in ("/api/thumbnail?image=", "/api/crop?image="):
                self.answers(f"{target}{name[:80]}", explorer.get(target + urllib.parse.quote(name, safe="")), *allowed)
                if name.isascii() and name.isprintable() and " " not in name and "#" not in name and len(name) < 1000:
                    self.answers(f"{target}{name}, as it is", explorer.get(target + name), *allowed)
            for route in ("predict", "explain", "image", "page"):
                self.answers(f"{route} of {name[:80]!r}", explorer.post(f"/api/{route}", {"image": name}), *allowed)
        for name in ("file:0/a.png", "file:0/below/c.png", "file:0/own.png", "file:0/ünï ☃ %2e.png"):
            self.answers(f"thumbnail of {name}", explorer.get("/api/thumbnail?image=" + urllib.parse.quote(name, safe="")), 200)
            self.answers(f"predict of {name}", explorer.post("/api/predict", {"image": name}), 200)
        listed = json.loads(explorer.ask(explorer.get("/api/overview")).body)["images"]
        unwanted = [name for name in listed if any(word in name for word in ("link", "text", "folder", "passwd", "zero", "loop", "pipe", "socket", "secret"))]
        self.expect("only images inside are listed", not unwanted, str(unwanted))
        for target in ("/..", "/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "/%252e%252e/etc/passwd", "//etc/passwd", "/explorer.css/../../../etc/passwd",
                       "/explorer.css%00.png", "/..\\..\\etc\\passwd", "/file:0/a.png", "/Web/index.html", "/.git/config", "/api", "/api/", "/api/../", "/api/models/../labels",
                       "/api/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd/labels", "/api/models/" + urllib.parse.quote(outside, safe="") + "/labels", "/api/models/%00/labels", "/api/models/%ff/labels",
                       "/api/models//labels", "/" + "a" * 7000, "/api/thumbnail", "/api/crop", "/api/thumbnail?image", "/api/thumbnail?image=%ff%fe", "/api/thumbnail?image=%"):
            self.answers(f"GET {target[:80]}", explorer.get(target), 400, 404, 414)
        # Other fields that a program might use as the name of a file.
        marks = [self.folder / "written", self.folder / "scratch-written"]
        files = [f"{outside}/secret.txt", f"{outside}/secret.yaml", "/etc/passwd", f"{up}etc/passwd", f"{up[:-1]}{outside}/secret.yaml", "/dev/zero", str(self.inside / "pipe.png"), "/proc/self/environ"]
        words = [f"--output={marks[0]}", f"-o{marks[0]}", "--rules", f"--rules={outside}/secret.yaml", "--save", f"@{outside}/secret.txt", "--help", "--"]
        for field in ("table", "rules", "target", "method", "model", "node", "order", "fit", "through", "methods", "nodes"):
            for route in ("page", "explain", "plan") if field in ("table", "rules") else ("page", "layer"):
                for value in files + words:
                    question = {"image": "file:0/a.png", "node": "x", field: [value] if field in ("through", "methods", "nodes") else value}
                    answer = self.explorer.ask(explorer.post(f"/api/{route}", question), 10)
                    fault = answer.fault()
                    if b"root:x:0" in answer.body or b"EXPLORER_ATTACK" in answer.body:
                        fault = "the response contains bytes of a file outside the folder"
                    elif fault is None and answer.status == 422 and field == "table" and "there is no rule table" not in answer.body.decode("utf-8", "replace") and "/" in value and b":1:" in answer.body:
                        fault = f"a file was read as a table: {answer.body[:200]!r}"
                    self.expect(f"{route} with {field} {value!r}", fault is None, f"{fault}: {answer.body[:200]!r}" if fault else "")
        self.expect("no file is written to a path from a request", not any(mark.exists() for mark in marks))
        leaks = [word for word in (str(self.explorer.scratch),) if word.encode() in explorer.ask(explorer.post("/api/page", {"image": "file:0/a.png", "target": "class:999999"})).body]
        self.expect("the response does not contain the temporary folder", not leaks)
        self.expect("temporary files are removed", not list(explorer.scratch.iterdir()), str(list(explorer.scratch.iterdir())[:3]))
