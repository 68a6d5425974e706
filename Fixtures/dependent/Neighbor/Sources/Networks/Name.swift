public let name = "Networks"
