"""Tests of Tools/articles: each conversion, and what --check reports, on a small repository in a temporary folder.

    python3 -B Tools/test_articles.py
"""
import contextlib
import importlib.machinery
import importlib.util
import io
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
LOADER = importlib.machinery.SourceFileLoader("articles", str(HERE / "articles"))
articles = importlib.util.module_from_spec(importlib.util.spec_from_loader("articles", LOADER))
LOADER.exec_module(articles)

CATALOG = "Sources/RelevanceKit/RelevanceKit.docc"
START = """# Start here

Explain *one* image with ``Model``.

## The first step
"""
LANDING = """# ``RelevanceKit``

Text.

## Topics

### Guides

- <doc:Start>
- <doc:Next>

### Types

- ``Model``
"""


class Conversions(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        subprocess.run(["git", "init", "-q", str(self.root)], check=True, stdin=subprocess.DEVNULL)
        self.write(f"{CATALOG}/RelevanceKit.md", LANDING)
        self.write(f"{CATALOG}/Articles/Start.md", START)
        for image in ("two-digits.png", "two-digits@2x.png", "two-digits~dark.png", "wide@2x.jpg"):
            self.write(f"{CATALOG}/Resources/{image}", "")
        self.write("Sources/RelevanceKit/Model.swift", "/// A model.\npublic struct Model: Sendable {}\n")
        self.write("Sources/Explanations/Target.swift", "public struct Target {\n  public enum Kind {}\n}\n")
        self.write("Sources/Explanations/Twice.swift", "public struct Twice {}\n")
        self.write("Sources/Explanations/Again.swift", "public struct Twice {}\n")
        self.write("Fixtures/digits/vgg/model.onnx", "")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_tool(self, *arguments):
        messages = io.StringIO()
        with contextlib.redirect_stderr(messages):
            status = articles.main(list(arguments), root=self.root)
        return status, messages.getvalue().splitlines()

    def converted(self, body):
        """The Markdown of an article with this body, without what each page begins and ends with."""
        self.write(f"{CATALOG}/Articles/Next.md", f"# Next\n\nAbstract.\n\n{body}\n")
        status, messages = self.run_tool()
        self.assertEqual((status, messages), (0, []))
        page = (self.root / "Documentation/articles/Next.md").read_text()
        begin = f"<!-- Written by Tools/articles from {CATALOG}/Articles/Next.md; do not edit. -->\n# Next\n\nAbstract.\n\n"
        end = "\n\n---\n\n[All articles](README.md)\n"
        self.assertTrue(page.startswith(begin) and page.endswith(end), page)
        return page[len(begin):-len(end)]

    def test_inline(self):
        sources = "../../Sources"
        for docc, markdown in {
            "See <doc:Start>.": "See [Start here](Start.md).",
            "[the start](doc:Start)": "[the start](Start.md)",
            "<doc:Start#The-first-step>": "[The first step](Start.md#the-first-step)",
            "<doc:RelevanceKit>": "[RelevanceKit](README.md)",
            "``Model``": f"[`Model`]({sources}/RelevanceKit/Model.swift)",
            "``/RelevanceExplanations/Target/box(_:)``": f"[`Target.box(_:)`]({sources}/Explanations/Target.swift)",
            "``/RelevanceExplanations/Target/kind-swift.property``": f"[`Target.kind`]({sources}/Explanations/Target.swift)",
            "``/RelevanceExplanations/Target/map(_:)-4x1bq``": f"[`Target.map(_:)`]({sources}/Explanations/Target.swift)",
            "``/RelevanceExplanations``": f"[`RelevanceExplanations`]({sources}/Explanations)",
            "``/RelevanceExplanations/Twice``": "`Twice`",
            "``/RelevanceExplanations/Model``": "`Model`",
            "``Unknown/name``": "`Unknown.name`",
            "`` `a` ``": "`` `a` ``",
            "`Model` and `<doc:Nowhere>`": "`Model` and `<doc:Nowhere>`",
            "[``Model``](https://example.com)": "[``Model``](https://example.com)",
            "`Fixtures/digits/vgg`": "[`Fixtures/digits/vgg`](../../Fixtures/digits/vgg)",
            "`Fixtures/digits/resnet` and `a/b`": "`Fixtures/digits/resnet` and `a/b`",
            "## `Fixtures/digits`": "## `Fixtures/digits`",
            "![Two\ndigits.](two-digits)": f"![Two\ndigits.]({sources}/RelevanceKit/RelevanceKit.docc/Resources/two-digits.png)",
            "![](two-digits.png)": f"![]({sources}/RelevanceKit/RelevanceKit.docc/Resources/two-digits.png)",
            "![Wide](wide)": f"![Wide]({sources}/RelevanceKit/RelevanceKit.docc/Resources/wide@2x.jpg)".replace("@", "%40"),
            "> Note: Text.": "> **Note:** Text.",
            "> See Also: <doc:Start>": "> **See Also:** [Start here](Start.md)",
        }.items():
            with self.subTest(docc):
                self.assertEqual(self.converted(docc), markdown)

    def test_blocks_of_code_stay(self):
        block = "```swift\nlet a = 1 // ``Model`` <doc:Start> `Fixtures/digits/vgg`\n@Metadata {\n}\n```"
        self.assertEqual(self.converted(block), block)
        self.assertEqual(self.converted("- An item\n\n  ```\n  <doc:Start>\n  ```"), "- An item\n\n  ```\n  <doc:Start>\n  ```")

    def test_directives(self):
        self.assertEqual(self.converted("@Metadata {\n  @PageKind(article)\n}\n\nText."), "Text.")
        self.assertEqual(self.converted("@Metadata { @PageColor(blue) }\n\nText."), "Text.")
        self.assertEqual(self.converted("@Comment {\n  <doc:Start>\n}\nText."), "Text.")
        rows = "@Row {\n   @Column(size: 2) {\n      Left ``Model``.\n   }\n   @Column {\n      Right.\n   }\n}\n\nText."
        self.assertEqual(self.converted(rows).split(), "Left [`Model`](../../Sources/RelevanceKit/Model.swift). Right. Text.".split())
        tabs = "@TabNavigator {\n   @Tab(\"PyTorch\") {\n      Text.\n   }\n}"
        self.assertEqual(self.converted(tabs), "**PyTorch**\n\nText.")
        self.assertEqual(self.converted("@Image(source: \"two-digits\", alt: \"Two\")"),
                         f"![Two](../../{CATALOG}/Resources/two-digits.png)")
        self.assertEqual(self.converted("The attribute @MainActor\n@available(*)"), "The attribute @MainActor\n@available(*)")

    def test_list(self):
        self.converted("Text.")
        lines = (self.root / "Documentation/articles/README.md").read_text().splitlines()
        self.assertEqual([line for line in lines if line.startswith(("## ", "- "))], [
            "## Guides",
            "- [Start here](Start.md): Explain *one* image with [`Model`](../../Sources/RelevanceKit/Model.swift).",
            "- [Next](Next.md): Abstract.",
        ])

    def test_problems_in_articles(self):
        for body, message in {
            "<doc:Nowhere>": f"articles: {CATALOG}/Articles/Next.md: <doc:Nowhere> leads to no article",
            "<doc:Start#Second>": f"articles: {CATALOG}/Articles/Next.md: <doc:Start#Second> leads to no heading",
            "![](three)": f"articles: {CATALOG}/Articles/Next.md: found no image three in {CATALOG}/Resources",
        }.items():
            self.write(f"{CATALOG}/Articles/Next.md", f"# Next\n\nAbstract.\n\n{body}\n")
            self.assertEqual(self.run_tool(), (1, [message]))
        self.write(f"{CATALOG}/Articles/Next.md", "# Next\n\nAbstract.\n")
        self.write(f"{CATALOG}/Articles/Third.md", "# Third\n\nAbstract.\n")
        status, messages = self.run_tool("--check")
        self.assertEqual(status, 1)
        self.assertIn("article Third is in no group", messages[0])

    def test_check(self):
        self.write(f"{CATALOG}/Articles/Next.md", "# Next\n\nAbstract.\n")
        page = "Documentation/articles/{}: {}"
        self.assertEqual(self.run_tool("--check"), (1, [f"articles: {page.format(name, 'missing; run Tools/articles')}"
                                                        for name in ("Next.md", "README.md", "Start.md")]))
        self.assertFalse((self.root / "Documentation").exists())
        self.assertEqual(self.run_tool(), (0, []))
        self.assertEqual(self.run_tool("--check"), (0, []))
        self.write(f"{CATALOG}/Articles/Start.md", START + "\nMore.\n")
        self.write("Documentation/articles/Old.md", "<!-- Written by Tools/articles from nothing -->\n")
        self.write("Documentation/articles/Own.md", "Written by a person.\n")
        superfluous = "superfluous; expected no file with this name"
        self.assertEqual(self.run_tool("--check"), (1, [f"articles: {page.format(*pair)}" for pair in (
            ("Old.md", superfluous), ("Own.md", superfluous), ("Start.md", "outdated; run Tools/articles"))]))
        self.run_tool()
        self.assertEqual(self.run_tool("--check"), (1, [f"articles: {page.format('Own.md', superfluous)}"]))

    def test_broken_links(self):
        self.write(f"{CATALOG}/Articles/Next.md", "# Next\n\nAbstract.\n")
        self.run_tool()
        self.write("Documentation/other.md", "# Other\n\n## Same\n\n## Same\n\n## `a_b`, *c* & d\n\n<a id=\"own\"></a>\n")
        self.write("README.md", "\n".join((
            "# Title", "[a](Documentation/other.md#same-1) [b](#title) [c](Fixtures/digits) [d](https://example.com/x) [e](mailto:a@example.com)",
            "[f](Documentation/other.md#a_b-c--d) [g](Documentation/other.md#own) `[code](nowhere)` ![i](<Sources/RelevanceKit/Model.swift>)", "",
            "```", "", "[code](nowhere)", "", "```", "", "[h]: Documentation/other.md")))
        self.assertEqual(self.run_tool("--check"), (0, []))
        for link, message in {
            "[a](nowhere.md)": "link nowhere.md leads to no file of the repository",
            "[two\nlines](nowhere.md \"Title\")": "link nowhere.md leads to no file of the repository",
            "[`code`](nowhere.md)": "link nowhere.md leads to no file of the repository",
            "![image](nowhere.png)": "link nowhere.png leads to no file of the repository",
            "[![image](nowhere.png)](Documentation)": "link nowhere.png leads to no file of the repository",
            "<img alt=\"\" src=\"nowhere.png\">": "link nowhere.png leads to no file of the repository",
            "[a]: nowhere.md": "link nowhere.md leads to no file of the repository",
            "[a](/README.md)": "link /README.md leads to no file of the repository",
            "[a](../README.md)": "link ../README.md leads to no file of the repository",
            "[a](#nothing)": "link #nothing leads to no heading of README.md",
            "[a](Documentation/other.md#same-2)": "link Documentation/other.md#same-2 leads to no heading of Documentation/other.md",
        }.items():
            with self.subTest(link):
                self.write("README.md", f"# Title\n\n{link}\n")
                self.assertEqual(self.run_tool("--check"), (1, [f"articles: README.md: {message}"]))
        self.write("README.md", "# Title\n")
        for name in ("Tools/README.md", "Tools/cluster/README.md", "Documentation/deep/page.md", "CONTRIBUTING.md", "CHANGELOG.md"):
            self.write(name, "[a](nowhere)\n")
            self.assertEqual(self.run_tool("--check"), (1, [f"articles: {name}: link nowhere leads to no file of the repository"]))
            (self.root / name).unlink()


if __name__ == "__main__":
    unittest.main()
