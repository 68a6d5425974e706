"""Many small cases in two files: cases.json contains the offsets of each case's model, input and output in cases.bin."""

import json

import numpy as np


class Pack:
    """Collects cases. Equal bytes are stored once."""

    def __init__(self):
        self.cases = []
        self._bytes = bytearray()
        self._places = {}

    def place(self, data):
        """Adds bytes to the pack, and returns their offset, a multiple of 4."""
        if data not in self._places:
            self._places[data] = len(self._bytes)
            self._bytes += data + bytes(-len(data) % 4)
        return self._places[data]

    def tensor(self, array):
        array = np.asarray(array, dtype="<f4")
        return {"shape": list(array.shape), "offset": self.place(array.tobytes())}

    def add(self, name, model, values, expected, **facts):
        """Adds a case: an ONNX model as bytes, its input, and its first output."""
        entry = {"name": name, "model": {"offset": self.place(model), "count": len(model)}}
        self.cases.append(entry | {"input": self.tensor(values), "output": self.tensor(expected)} | facts)

    def write(self, folder, **facts):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cases.bin").write_bytes(self._bytes)
        facts = "".join(f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False, indent=2)},\n" for key, value in facts.items())
        rows = ",\n".join("    " + json.dumps(case, ensure_ascii=False) for case in self.cases)
        (folder / "cases.json").write_text(f'{{\n{facts}  "cases": [\n{rows}\n  ]\n}}\n')
        print(f"{len(self.cases)} cases, {len(self._bytes)} bytes")
