public let name = "Execution"
