public let name = "Support"
