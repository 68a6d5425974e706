extension BadInputTests {
  static let missing: [Case] = [
    Case("missing model", 66, "nothing.onnx: there is no such file", "explain", "nothing.onnx", "input.npy"),
    Case("missing folder", 66, "no/model: there is no such file", "inspect", "no/model"),
    Case(
      "missing tensor", 66, "nothing.npy: no such file; expected a .jpg, .png or .npy file", "explain", "model",
      "nothing.npy"),
    Case(
      "missing image", 66, "nothing.jpg: no such file; expected a .jpg, .png or .npy file", "explain", "model",
      "nothing.jpg"),
    Case(
      "missing rule table", 66, "nothing.yaml: no such rule table; expected \(presets) or a YAML file", "explain",
      "model", "input.npy", "--rules", "nothing.yaml"),
    Case("mistyped input", 66, "inptu.npy: no such file; did you mean input.npy?", "explain", "model", "inptu.npy"),
    Case(
      "folder without inputs", 66,
      "model: expected .jpg, .png or .npy files in the folder, found none; its subfolders are not searched", "predict",
      "model", "model"),
    Case(
      "mistyped model", 66, "bear.onnx: there is no such file; did you mean bare.onnx?", "explain", "bear.onnx",
      "input.npy"),
  ]

  static let badData: [Case] = [
    Case(
      "truncated model", 65,
      "truncated.onnx: not an ONNX model, or damaged: the data ends inside graph at byte 16: expected 760 bytes, "
        + "found 81", "explain", "truncated.onnx", "input.npy"),
    Case("empty model", 65, "empty.onnx: the file is empty; expected an ONNX model", "inspect", "empty.onnx"),
    Case(
      "image that is text", 65, "text.jpg: not an image: expected JPEG or PNG, found text", "explain", "model",
      "text.jpg"),
    Case(
      "tensor that is text", 65, "text.npy: not a .npy file: it does not start with \\x93NUMPY", "explain", "model",
      "text.npy"),
    Case(
      "wrong number of channels", 65, "channels.npy: input x: expected shape 1×3×8×9, found 1×4×8×9", "explain",
      "model",
      "channels.npy"),
    Case(
      "wrong number of axes", 65, "axes.npy: expected a tensor of shape [1,C,H,W] or [C,H,W], found 8×9", "explain",
      "model",
      "axes.npy"),
    Case(
      "batch of a network for one", 65, "--batch 2: input x: expected shape 1×3×8×9, found 2×3×8×9", "bench", "model",
      "input.npy", "--batch", "2"),
    Case(
      "batch of a batch", 65, "--batch 2: expected one item in batch.npy, found 2×3×8×9", "bench", "model", "batch.npy",
      "--batch", "2"),
    Case(
      "image of the wrong size", 65,
      "large.png: found 20×30 pixels (height × width) with --fit native; the network expects 8×9; omit --fit, or "
        + "export the model with a dynamic height and width",
      "explain", "model", "large.png", "--fit", "native"),
    Case(
      "labels that are not JSON", 65, "damaged/config.json: not JSON", "explain", "damaged", "input.npy"),
    Case(
      "rule table without rules", 65, "rules.yaml:1:1: found no rules; expected rules: a list of rows", "explain",
      "model",
      "input.npy", "--rules", "rules.yaml"),
    Case(
      "rule table for another network", 65,
      "rule table other: no row matches node y (Conv); add rows for them, or the line \"extends: default\"", "explain",
      "model",
      "input.npy", "--rules", "other.yaml"),
  ]

  static let lab: [Case] = [
    Case(
      "lab without rules", 64, "Missing expected argument '--rule <rule> ...'", "lab", "model", "input.npy", "--layer",
      "y"),
    Case(
      "layer unlike any", 64, "relu: the network has no such node; relevance inspect lists the nodes", "lab", "model",
      "input.npy", "--layer", "relu", "--rule", "z"),
    Case(
      "several inputs for the lab", 64, "inputs: found 2 inputs in the folder; expected one", "lab", "model", "inputs",
      "--layer", "y", "--rule", "z"),
    Case(
      "unknown layer", 64, "yy: the network has no such node; did you mean y?", "lab", "model", "input.npy", "--layer",
      "yy",
      "--rule", "z"),
    Case(
      "rule for other layers", 64,
      "rule winnerShare cannot be used at node y: it applies to MaxPool, not to Conv", "lab", "model",
      "input.npy", "--layer", "y", "--rule", "winnerShare"),
    Case(
      "sweep downwards", 64,
      "rule epsilon: found epsilon \"1..0\"; expected a sweep low..high or low..highxN with low < high and N from 2 to 100",
      "lab", "model", "input.npy", "--layer", "y", "--rule", "epsilon:e=1..0"),
    Case(
      "unknown seed", 64,
      "The value 'unit:1@2,' is invalid for '--seed <seed>': expected unit:CHANNEL, unit:CHANNEL@Y,X, channel:CHANNEL or target",
      "lab", "model", "input.npy", "--layer", "y", "--rule", "z", "--seed", "unit:1@2,"),
    Case(
      "channel out of range", 64, "node y has no channel 4: its channels are 0 to 3", "lab", "model", "input.npy",
      "--layer", "y", "--rule", "z", "--seed", "unit:4"),
    Case(
      "position out of range", 64, "node y has no position 8,0: its positions are 0,0 to 7,8", "lab", "model",
      "input.npy", "--layer", "y", "--rule", "z", "--seed", "unit:1@8,0"),
    Case(
      "target of another seed", 64, "--target needs --seed target; found --seed channel:1", "lab", "model",
      "input.npy", "--layer", "y", "--rule", "z", "--seed", "channel:1", "--target", "class:3"),
    Case(
      "several targets", 64, "--target top:2 means 2 classes; expected one, such as top:1 or class:N", "lab", "model",
      "input.npy", "--layer", "y", "--rule", "z", "--target", "top:2"),
    Case(
      "class out of range in the lab", 64, "there is no class 288: the network has classes 0 to 287", "lab", "model",
      "input.npy", "--layer", "y", "--rule", "z", "--target", "class:288"),
    Case(
      "artifact of the lab", 64, "--save: json is not one of csv, npy, png", "lab", "model", "input.npy", "--layer",
      "y", "--rule", "z", "--save", "json"),
    Case(
      "no artifact", 64, "--save is empty; expected csv, npy, png or several of them", "lab", "model", "input.npy",
      "--layer", "y", "--rule", "z", "--save", ""),
    Case(
      "input of the lab that is missing", 66, "nothing.npy: no such file; expected a .jpg, .png or .npy file", "lab",
      "model",
      "nothing.npy", "--layer", "y", "--rule", "z"),
    Case(
      "input of the lab of the wrong shape", 65, "channels.npy: input x: expected shape 1×3×8×9, found 1×4×8×9", "lab",
      "model", "channels.npy", "--layer", "y", "--rule", "z"),
  ]
}
