public let name = "Evaluation"
