public let name = "ONNXFormat"
