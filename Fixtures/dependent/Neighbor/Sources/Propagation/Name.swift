public let name = "Propagation"
