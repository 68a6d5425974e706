public let name = "Figures"
