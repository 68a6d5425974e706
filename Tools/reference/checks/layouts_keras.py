"""Networks of Keras and TensorFlow with the input layout N × H × W × C."""

import json
import os

import numpy as np

from checks.layout_cases import CLASSES, NAMES, Made, case, is_made

# The backend of Keras.
import importlib.util

BACKEND = "tensorflow" if importlib.util.find_spec("tensorflow") else "torch"
PACKAGES = "keras " + ("tensorflow-cpu tf2onnx" if BACKEND == "tensorflow" else "torch")


def build(architecture, side, pixels):
    os.environ["KERAS_BACKEND"] = BACKEND
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras

    keras.utils.set_random_seed(4)
    layers = keras.layers
    if architecture == "Sequential":
        network = keras.Sequential([
            layers.Input((side, side, 3)), layers.Rescaling(1 / 255), layers.Conv2D(16, 3, strides=2, activation="relu"),
            layers.MaxPooling2D(), layers.Conv2D(32, 3, padding="same", activation="relu"), layers.GlobalAveragePooling2D(),
            layers.Dropout(0.2), layers.Dense(CLASSES, activation="softmax"),
        ])
    elif architecture == "Gray":
        network = keras.Sequential([
            layers.Input((28, 28, 1)), layers.Rescaling(1 / 255), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"), layers.Flatten(), layers.Dense(CLASSES, activation="softmax"),
        ])
    elif architecture == "Normalization":
        network = keras.Sequential([
            layers.Input((side, side, 3)), layers.Normalization(mean=[123.0, 117.0, 104.0], variance=[3400.0, 3300.0, 3380.0]),
            layers.Conv2D(16, 3, strides=2), layers.BatchNormalization(), layers.LeakyReLU(), layers.DepthwiseConv2D(3, padding="same"),
            layers.Activation("swish"), layers.GlobalMaxPooling2D(), layers.Dense(1, activation="sigmoid"),
        ])
    else:
        network = getattr(keras.applications, architecture)(weights=None, classes=CLASSES, input_shape=(side, side, 3), classifier_activation=None)
    # Sets batch normalization to the statistics of noise, which saturates no layer. (Keras cannot export a network that was never called.)
    random = np.random.default_rng(2)
    normalizations = [layer for layer in network.layers if isinstance(layer, layers.BatchNormalization)]
    for layer in normalizations:
        shape = layer.gamma.shape if layer.gamma is not None else layer.beta.shape
        if layer.gamma is not None:
            layer.gamma.assign(random.uniform(0.5, 1.5, shape))
        layer.beta.assign(random.uniform(-0.1, 0.1, shape))
        layer.momentum = 0.0
    network(random.uniform(*pixels, (4, *network.input_shape[1:])).astype(np.float32), training=True)
    for layer in network.layers:
        layer.trainable = False
    return network


def keras_case(folder, architecture, how="export", side=224, settings=None, tolerance=1e-4):
    """A network exported by Keras or tf2onnx. `settings` is the preprocessing that a user of `preprocess_input` writes down."""
    from PIL import Image

    # With `preprocess_input` outside the network, its input is not pixels.
    network = build(architecture, side, (-1, 1) if settings else (0, 255))
    model = folder / "model.onnx"
    channels = network.input_shape[3]
    if not is_made(model):
        if how == "export":
            network.export(str(model), format="onnx", verbose=False)
        else:
            import tensorflow
            import tf2onnx

            signature = [tensorflow.TensorSpec([None, *network.input_shape[1:]], tensorflow.float32, name="input")]
            nchw = {"inputs_as_nchw": ["input"]} if how == "nchw" else {}
            function = tensorflow.function(lambda values: network(values), input_signature=signature)
            tf2onnx.convert.from_function(function, signature, opset=15, output_path=str(model), **nchw)
    if settings:
        (folder / "preprocessor_config.json").write_text(json.dumps(settings))
        (folder / "config.json").write_text(json.dumps({"id2label": dict(enumerate(NAMES))}))
    height, width = network.input_shape[1:3]

    def prepare(image):
        # The assumption without a configuration: a center crop of a larger image for larger networks.
        image = image.convert("L") if channels == 1 else image
        if not settings and height >= 160:
            edge = height * 8 // 7
            scale = edge / min(image.size)
            wide, high = (edge if side == min(image.size) else int(edge * side / min(image.size)) for side in image.size)
            image = image.resize((wide, high), Image.BILINEAR)
            left, top = round((wide - width) / 2), round((high - height) / 2)
            image = image.crop((left, top, left + width, top + height))
        else:
            image = image.resize((width, height), Image.BILINEAR)
        values = np.asarray(image, np.float32).reshape(1, height, width, channels)
        if settings:
            module = {"MobileNet": "mobilenet", "ResNet50V2": "resnet_v2", "VGG16": "vgg16"}[architecture]
            import keras

            values = np.asarray(getattr(keras.applications, module).preprocess_input(np.array(values)))
        return values

    def logits(values):
        if architecture in ("Sequential", "Gray", "Normalization"):
            last = network.layers[-1]
            kernel, bias = last.get_weights()
            import keras

            before = keras.Model(network.inputs, network.layers[-2].output)
            return np.asarray(before.predict(values, verbose=0)) @ kernel + bias
        return np.asarray(network.predict(values, verbose=0))

    label = (lambda index: NAMES[index].split(",")[0]) if settings else None
    return Made(model, prepare, logits, label=label, tolerance=tolerance)


PIXELS = {"size": {"height": 224, "width": 224}, "resample": 2}
HALVES = PIXELS | {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
CAFFE = PIXELS | {"do_rescale": False, "do_flip_channel_order": True, "image_mean": [123.68, 116.779, 103.939], "image_std": [1, 1, 1]}
KERAS = {
    "sequential": ("Sequential", {"side": 96}),
    "gray": ("Gray", {}),
    "normalization": ("Normalization", {"side": 96}),
    "mobilenet": ("MobileNet", {"settings": HALVES}),
    "mobilenet-v3": ("MobileNetV3Small", {}),
    "efficientnet-b0": ("EfficientNetB0", {}),
    "efficientnet-v2-b0": ("EfficientNetV2B0", {}),
    "resnet50-v2": ("ResNet50V2", {"settings": HALVES}),
    "vgg16": ("VGG16", {"settings": CAFFE}),
    "convnext-tiny": ("ConvNeXtTiny", {}),
}
for short, (architecture, options) in KERAS.items():
    written = ", `preprocess_input` written down" if "settings" in options else ""
    name, what = f"keras-{BACKEND}-{short}", f"{architecture} by `export(format=\"onnx\")`{written}"
    case(name, PACKAGES, what, architecture, **options)(keras_case)
    if BACKEND == "tensorflow" and short in ("sequential", "mobilenet", "efficientnet-b0"):
        for how in ("tf2onnx", "nchw"):
            if how == "nchw" and short != "mobilenet":
                continue
            case(f"{how}-{short}", PACKAGES, f"{architecture} by tf2onnx{', inputs as NCHW' if how == 'nchw' else ''}{written}", architecture, how, **options)(keras_case)
