"""Reads Markdown: blocks of code, headings with the fragments that Git hosts derive from them, and links that lead nowhere."""
import os
import re
import urllib.parse

FENCE = re.compile(r"\s*(`{3,}|~{3,})")
SPAN = r"(?P<ticks>(?<!`)`+(?!`))(?P<code>(?:(?!\n\s*\n).)+?)(?<!`)(?P=ticks)(?!`)"
LINK = (r"(?P<bang>!?)\[(?P<text>(?:\\.|`[^`]*`|!\[[^\]]*\]\([^)]*\)|[^\[\]\\])*)\]"
        r"\((?P<target><[^>\n]*>|(?:[^()\s]|\([^()\s]*\))*)(?P<title>\s+\"[^\"]*\")?\)")
INLINE = re.compile(rf"{SPAN}|{LINK}|<doc:(?P<article>[^>\s]+)>", re.DOTALL)
CHECKED = re.compile(r"(README|CONTRIBUTING|CHANGELOG)\.md|Documentation/.*\.md|Tools/(.*/)?README\.md")


def plain(markdown):
    """The text of a heading without formatting."""
    return re.sub(r"!?\[([^\]]*)\]\([^)]*\)|`|\*\*?", r"\1", markdown).strip()


def slug(heading, used):
    """The fragment that Git hosts derive from a heading; a repeated one gets a number."""
    base = re.sub(r"[^\w\- ]", "", plain(heading).lower()).replace(" ", "-")
    count = used[base] = used.get(base, -1) + 1
    return f"{base}-{count}" if count else base


def pieces(text):
    """The text split into pairs: whether it is a block of code, and its lines."""
    fence, lines = None, []
    for line in text.splitlines():
        found = FENCE.match(line)
        if fence is None and found:
            if lines:
                yield False, lines
            fence, lines = found[1], [line]
        elif fence and found and found[1].startswith(fence) and line.strip() == found[1]:
            yield True, [*lines, line]
            fence, lines = None, []
        else:
            lines.append(line)
    if lines:
        yield fence is not None, lines


def headings(text):
    """The headings of a Markdown text, in order, each with its fragment."""
    used = {}
    for is_code, lines in pieces(text):
        for line in () if is_code else lines:
            found = re.match(r" {0,3}#{1,6}\s+(.*?)\s*#*$", line)
            if found:
                yield found[1], slug(found[1], used)


def broken_links(repository):
    """A line for each relative link that leads to no file, or to no heading of a file."""
    anchors = {name: {anchor for _, anchor in headings(text)} | set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text))
               for name in repository.files if name.endswith(".md") for text in [repository.read(name)]}
    for name in sorted(filter(CHECKED.fullmatch, repository.files)):
        prose = "\n\n".join("\n".join(lines) for is_code, lines in pieces(repository.read(name)) if not is_code)
        # A link's text may contain code and images; code outside of links contains no links.
        found = [link for match in INLINE.finditer(prose) if match["target"] is not None
                 for link in (match["target"].strip("<>"), *re.findall(r"!\[[^\]]*\]\(([^)\s]*)", match["text"]))]
        found += re.findall(r"^ {0,3}\[[^\]]+\]:\s+(\S+)", prose, re.MULTILINE)
        found += re.findall(r"<(?:img|a|source)\s[^>]*?(?:src|srcset|href)=\"([^\"]+)\"", prose)
        for link in dict.fromkeys(found):
            if re.match(r"[a-z][a-z+.-]*:|//", link):
                continue
            path, _, fragment = urllib.parse.unquote(link).partition("#")
            target = os.path.normpath(os.path.join(os.path.dirname(name), path)) if path else name
            if not repository.exists(target) or path.startswith("/"):
                yield f"{name}: link {link} leads to no file of the repository"
            elif fragment and target in anchors and fragment not in anchors[target]:
                yield f"{name}: link {link} leads to no heading of {target}"
