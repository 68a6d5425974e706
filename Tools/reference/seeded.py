"""The seeded generator that the fixtures and the Swift tests share.

Element `i` (row-major) of the tensor with integer seed `s` depends only on `(s, i)`. Therefore any part of a tensor can be computed separately, in
any order, in any language with 64-bit integers and doubles.
"""

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def seeded_bits(seed, count, start=0):
    """64 mixed bits for each of the elements from `start` to `start + count − 1` of the tensor with seed `seed`."""
    with np.errstate(over="ignore"):
        index = np.arange(start, start + count, dtype=np.uint64)
        z = ((np.uint64(seed) << np.uint64(32)) + index) * _GOLDEN
        z ^= z >> np.uint64(30)
        z *= _MIX_1
        z ^= z >> np.uint64(27)
        z *= _MIX_2
        z ^= z >> np.uint64(31)
    return z


def seeded_values(seed, count, low, high, power=1, start=0):
    """Float32 values in [low, high]: 24 random bits u in [0, 1), scaled in double precision, rounded once.

    With an odd `power` above 1 the values concentrate around the middle, `(low + high)/2 + (high - low)/2 * (2u - 1)^power`, and the tails are
    heavy: a few weights matter much, as in trained networks. The power is computed by repeated multiplication, so that every language computes
    the same bits.
    """
    unit = (seeded_bits(seed, count, start) >> np.uint64(40)).astype(np.float64) * 2.0**-24
    if power == 1:
        return (low + (high - low) * unit).astype(np.float32)
    side = 2 * unit - 1
    tail = side.copy()
    for _ in range(power - 1):
        tail *= side
    return ((low + high) / 2 + (high - low) / 2 * tail).astype(np.float32)


def seeded_tensor(seed, shape, low=-1.0, high=1.0):
    """A seeded float32 array of `shape`, filled in row-major order."""
    return seeded_values(seed, int(np.prod(shape, dtype=np.int64)), low, high).reshape(shape)


def write_seeded_file(path, description, chunk=1 << 22):
    """Writes the weights file that `description` (the contents of a weights.json) describes."""
    with open(path, "wb") as file:
        file.truncate(description["bytes"])
        for tensor in description["tensors"]:
            file.seek(tensor["offset"])
            for start in range(0, tensor["count"], chunk):
                count = min(chunk, tensor["count"] - start)
                values = seeded_values(tensor["seed"], count, tensor["low"], tensor["high"], tensor.get("power", 1), start)
                file.write(values.astype("<f4").tobytes())
