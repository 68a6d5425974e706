public let name = "Imaging"
