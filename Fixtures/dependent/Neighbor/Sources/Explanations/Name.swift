public let name = "Explanations"
