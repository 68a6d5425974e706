"""Many small cases in an archive: cases.json contains the offsets of each case's model, input and output in cases.bin."""

import json

import numpy as np

import storage


def ramp(shape):
    """Element i of n is i/n, in single precision."""
    count = int(np.prod(shape))
    return (np.arange(count).reshape(shape) / count).astype(np.float32)


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
        """Adds a case: an ONNX model as bytes, its input, and its first output. For an input that is a `ramp`, only the shape is stored."""
        entry = {"name": name, "model": {"offset": self.place(model), "count": len(model)}}
        is_ramp = values.size > 4096 and np.array_equal(values, ramp(values.shape))
        source = {"shape": list(values.shape)} if is_ramp else self.tensor(values)
        self.cases.append(entry | {"input": source, "output": self.tensor(expected)} | facts)

    def write(self, folder, **facts):
        facts = "".join(f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False, indent=2)},\n" for key, value in facts.items())
        rows = ",\n".join("    " + json.dumps(case, ensure_ascii=False) for case in self.cases)
        text = f'{{\n{facts}  "cases": [\n{rows}\n  ]\n}}\n'
        storage.pack(folder, {"cases.json": text, "cases.bin": self._bytes})
        print(f"{len(self.cases)} cases, {len(self._bytes)} bytes")
