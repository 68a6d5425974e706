"""The cases of `write_concepts` for each network: the layers, the conditions on them, and the orders of inputs."""

from typing import NamedTuple


class Case(NamedTuple):
    """Conditions from the output to the input: (module, channels). `below`: a module whose relevance by channel is recorded."""

    name: str
    conditions: tuple
    below: str | None = None


# Channels are chosen by the rank of their |relevance| for the target: (0,) is only the strongest channel.
CASES = {
    "small": [
        Case("one", (("features.5", (0,)),), "features.2"),
        Case("set", (("features.5", (1, 4)),), "features.2"),
        Case("two", (("features.5", (0, 2)), ("features.2", (0, 3)))),
    ],
    "vgg16bn": [
        Case("one", (("features.40", (0,)),), "features.30"),
        Case("set", (("features.40", (1, 5)),), "features.30"),
        Case("two", (("features.40", (0, 1, 2)), ("features.27", (0, 3)))),
        Case("units", (("classifier.0", (0, 2)),), "features.40"),
    ],
    "resnet18": [
        Case("one", (("layer3.0.conv2", (0,)),), "layer2.1"),
        Case("identity", (("layer3.1.conv2", (0, 3)),), "layer2.1"),
        Case("sum", (("layer3.0", (0, 2)),), "layer2.0.conv2"),
        Case("projection", (("layer4.0.downsample.0", (0, 1, 4)),), "layer3.1"),
        Case("branches", (("layer4.0.conv2", (0, 1, 2)), ("layer3.1.conv1", (0, 1, 3)))),
        Case("mixed", (("layer4.0.conv2", (0, 1, 2)), ("layer2.1", (0, 1)))),
    ],
}
# The layer whose channels have reference inputs.
REFERENCES = {"small": "features.5", "vgg16bn": "features.20", "resnet18": "layer3.0.conv2"}


class Order(NamedTuple):
    """`target`: the value over its positions that ranks a channel. `normed`: divided by the sum of absolute values over all channels."""

    name: str
    mode: str
    target: str
    normed: bool
    labels: str | None
    composite: str | None


ORDERS = [
    Order("relmax", "relevance", "sum", True, "predicted", "EpsilonPlusFlat"),
    Order("relmax-gamma", "relevance", "sum", True, "predicted", "EpsilonGammaBox"),
    Order("relmax-own", "relevance", "sum", True, "own", "EpsilonPlusFlat"),
    Order("relmax-position", "relevance", "max", True, "predicted", "EpsilonPlusFlat"),
    Order("actmax", "activation", "sum", False, None, None),
    Order("actmax-share", "activation", "sum", True, None, None),
    Order("actmax-position", "activation", "max", False, None, None),
]
