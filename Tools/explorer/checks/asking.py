"""The part of the page's check that chooses an image, a class, methods and rules."""

import json
import shutil

from page import ROOT, STATE, Page


class Asking(Page):
    """Checks the choice of image, class, methods and rules."""

    def begin(self):
        self.browser.open(self.address)
        self.expect("a map is painted without a click", self.wait("document.querySelector('.map')?.dataset.painted"))
        self.settle()
        self.expect("the address does not contain the token", "token" not in self.browser.value("location.href"))
        self.expect("classes are listed", self.browser.value("document.querySelectorAll('.score').length") >= 3)
        self.expect("the top class is chosen", self.browser.value("document.querySelector('.score .main').ariaPressed") == "true")
        self.expect("the map has more than a few colors", self.browser.value(
            "new Set(document.querySelector('canvas.view').getContext('2d').getImageData(0, 0, 200, 200).data).size > 8"))

    def images(self):
        first, count = self.state("image"), self.browser.value("document.querySelectorAll('.gallery button').length")
        if count > 1:
            self.browser.click(".gallery button:nth-child(2)")
            self.expect("a click chooses an image", self.wait(f"{STATE}.image !== {json.dumps(first)}"))
            self.settle()
            self.enter(".gallery button:nth-child(1)")
            self.expect("the enter key chooses an image", self.wait(
                "document.querySelector('.gallery button:nth-child(1)').ariaPressed === 'true'"))
            self.settle()
            self.browser.value("history.back()")
            self.expect("back goes to the image before", self.wait(
                "document.querySelector('.gallery button:nth-child(2)').ariaPressed === 'true'"))
            self.settle()
            self.browser.value("history.forward()")
            self.settle()
        image = str(self.folder / "given.png")
        shutil.copy(ROOT / "Fixtures/cat-and-coffee.png", image)
        node = self.browser.do("DOM.querySelector", nodeId=self.browser.do("DOM.getDocument")["root"]["nodeId"], selector="#file")
        self.browser.do("DOM.setFileInputFiles", files=[image], nodeId=node["nodeId"])
        self.expect("an image file can be chosen", self.wait(f"({STATE}.image ?? '').startsWith('upload:')"))
        self.settle()
        uploaded = self.state("image")
        self.browser.value("document.querySelector('.gallery button:last-child').click()")
        self.settle()
        load = """(async () => {
          const blob = await (await fetch(document.querySelector('.gallery button[data-image^="upload:"] img').src)).blob();
          const transfer = new DataTransfer();
          transfer.items.add(new File([blob], 'NAME.png', {type: 'image/png'}));
          return transfer; })()"""
        for kind, event in [("pasted", "new ClipboardEvent('paste', {clipboardData: transfer, bubbles: true})"),
                            ("dropped", "new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true})")]:
            target = "document" if kind == "pasted" else "document.getElementById('drop')"
            self.browser.value(f"{load.replace('NAME', kind)}.then(transfer => {target}.dispatchEvent({event}))")
            self.expect(f"an image can be {kind}", self.wait(
                f"({STATE}.image ?? '').startsWith('upload:') && {STATE}.image !== {json.dumps(uploaded)}"))
            self.settle()
            self.browser.value("document.querySelector('.gallery button:last-child').click()")
            self.settle()
        self.browser.value("(() => { const transfer = new DataTransfer(); transfer.items.add(new File(['no image'], 'a.png', "
                           "{type: 'image/png'})); document.getElementById('drop').dispatchEvent(new DragEvent('drop', {dataTransfer: "
                           "transfer, bubbles: true, cancelable: true})); })()")
        self.expect("a file that is not an image gives an error", self.wait(
            "document.getElementById('problem').textContent.includes('not an image')"))
        self.browser.events = [each for each in self.browser.events if "422" not in json.dumps(each)]
        for _ in range(2):
            self.browser.click(".gallery button:last-child")
            self.settle()
        self.expect("choosing an image again explains its top class", self.state("target") == self.browser.value(
            "document.querySelector('.score .main').dataset.key"))

    def classes(self):
        before, best = self.map_sum(), self.state("target")
        self.browser.click(".score:nth-child(2) .main")
        self.expect("a click explains a class", self.wait(f"{STATE}.target !== {json.dumps(best)}"))
        self.settle()
        self.expect("its map is different", self.map_sum() != before)
        self.enter(".score:nth-child(1) .main")
        self.settle()
        self.expect("the enter key explains a class", self.state("target") == best and self.map_sum() == before)
        self.expect("the focus stays on the class", self.browser.value(f"document.activeElement.dataset.key === {json.dumps(best)}"))
        self.browser.click(".score:nth-child(2) button:last-child")
        self.settle()
        self.expect("the class is contrasted with a second class", (self.state("against") or "").startswith("class:")
                    and self.browser.value("document.querySelector('[data-method=clrp1] h3')?.textContent").startswith("clrp1:against="))
        self.expect("the heading names the contrast", "more than" in self.browser.value("document.getElementById('heading').textContent"))
        contrast = self.map_sum("clrp1")
        self.press("#strength", "ArrowRight", 39)
        self.press("#strength", "ArrowRight", 39)
        self.expect("the strength can be changed by keys", self.wait(
            "document.querySelector('[data-method=clrp1] h3').textContent.includes('strength=1.2')"))
        self.settle()
        self.expect("and the contrastive map changes", self.map_sum("clrp1") != contrast)
        self.browser.click(".score:nth-child(2) button:last-child")
        self.settle()
        self.expect("a contrast can be removed", self.state("against") is None
                    and self.browser.value("document.querySelectorAll('.map').length") == 1)
        number = int(self.state("target").split(":")[1].split("@")[0])
        other = (number + 1) % 3
        self.browser.value("document.getElementById('find').focus()")
        self.browser.text(str(other))
        self.enter("#find")
        self.expect("a class is found by its number", self.wait(f"{STATE}.target === 'class:{other}'"))
        self.enter(".score:nth-child(1) .main")
        self.settle()

    def methods(self):
        self.browser.click("#methods label:nth-child(3) input")
        self.settle()
        self.space("#methods label:nth-child(4) input")
        self.settle()
        self.expect("methods are shown side by side", self.browser.value("document.querySelectorAll('.map').length") == 3)
        self.browser.click("#more-methods summary")
        self.space("#other-methods label:nth-child(1) input")
        self.settle()
        self.expect("every method can be chosen", self.browser.value("document.querySelectorAll('.map').length") == 4)
        self.browser.value("document.querySelectorAll('#other-methods input:checked, #methods input:checked').forEach("
                           "e => e.value === 'lrp' || e.click())")
        self.settle()
        before = self.map_sum()
        for selector, value in [("#view", "map"), ("#view", "overlay"), ("#scale", "common"), ("#scale", "own")]:
            self.choose(selector, value)
        self.choose("#view", "map")
        self.expect("a map can be shown alone", self.map_sum() != before)
        self.choose("#view", "overlay")
        self.press("#opacity", "Home", 36)
        self.expect("opacity follows its slider", self.wait(f"{STATE}.opacity === '0'") and self.map_sum() != before)
        self.press("#opacity", "End", 35)
        for _ in range(10):
            self.press("#opacity", "ArrowLeft", 37)
        self.expect("and returns to its old value", self.map_sum() == before)

    def rules(self):
        self.tab("rules")
        self.wait("document.getElementById('yaml').value.includes('rules:')")
        before = self.map_sum()
        self.choose("#table", "EpsilonPlus")
        self.settle()
        self.expect("another table gives another map", self.wait("document.getElementById('yaml').value.includes('EpsilonPlus')")
                    and self.map_sum() != before)
        self.choose("#table", "")
        self.settle()
        self.expect("the plan lists nodes", self.browser.value("document.getElementById('plan').tBodies[0].rows.length") > 4)
        yaml = self.browser.value("document.getElementById('yaml').value")
        self.browser.value("(() => { const e = document.getElementById('yaml'); e.focus(); e.setSelectionRange(e.value.length, e.value.length); })()")
        self.browser.text("- {op: Conf, rule: zPlus}\n")
        self.expect("a mistake is shown with line and column", self.wait(
            "!document.getElementById('mistake').hidden && /Line \\d+, column \\d+: .*Conf/.test(document.getElementById('mistake').textContent)"))
        self.expect("the mistake is in the last line", self.browser.value("document.getElementById('mistake').dataset.line")
                    == str(yaml.rstrip("\n").count("\n") + 2))
        self.browser.events = [each for each in self.browser.events if "422" not in json.dumps(each)]
        self.browser.value("document.getElementById('yaml').select()")
        self.browser.text("name: mine\nextends: default\nrules:\n- {op: [Conv, Gemm], rule: epsilon, epsilon: 0.1}\n")
        self.expect("a custom table is applied while it is typed", self.wait(f"({STATE}.rules ?? '').includes('mine')"))
        self.settle()
        self.expect("the map changes", self.map_sum() != before)
        self.expect("the plan changes", self.browser.value("document.getElementById('plan').textContent.includes('epsilon(0.1') || document.getElementById('plan').textContent.includes('epsilon(epsilon: 0.1')"))
        self.browser.value("document.querySelector('#plan tbody tr:nth-child(3) button').focus()")
        self.enter("#plan tbody tr:nth-child(3) button")
        self.expect("the reason for a node's rule is shown", self.browser.value("document.getElementById('reason').textContent.includes('rule')"))
        self.browser.value("document.getElementById('plan-find').focus()")
        self.browser.text("conv")
        self.expect("nodes can be searched", self.wait("[...document.querySelectorAll('#plan tbody tr:not([hidden])')].every("
                                                       "e => e.textContent.toLowerCase().includes('conv'))"))
        self.browser.click("#reset")
        self.settle()
        self.expect("changes can be discarded", self.state("rules") is None and self.map_sum() == before)
