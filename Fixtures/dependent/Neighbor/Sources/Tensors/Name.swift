public let name = "Tensors"
