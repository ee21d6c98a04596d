import Foundation

/// `.local/demo.json`: what a person or a test needs to try the demo tenant.
struct DemoFile: Codable, Sendable {
    struct IntegrationPart: Codable, Sendable {
        let id: String
        let secret: String
    }

    var ingestURL: String
    var queryURL: String
    let tenant: String
    let email: String
    let password: String
    let store: String
    let storeAPIKey: String
    let integration: IntegrationPart
    let deviceEUIs: [String]

    enum CodingKeys: String, CodingKey {
        case tenant, email, password, store, integration
        case ingestURL = "ingest_url"
        case queryURL = "query_url"
        case storeAPIKey = "store_api_key"
        case deviceEUIs = "device_euis"
    }
}

/// `.local/feed.json`: the keys of all demo stores, for the traffic alone.
struct FeedFile: Codable, Sendable {
    struct Store: Codable, Sendable {
        let code: String
        let key: String
    }

    let stores: [Store]
}

/// Where both lie. They hold secrets, so only their owner reads them.
struct DemoDirectory: Sendable {
    let path: String

    func demo() throws -> DemoFile? { try read("demo.json") }
    func feed() throws -> FeedFile? { try read("feed.json") }

    func write(_ demo: DemoFile, _ feed: FeedFile) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try PrivateFile(path: path + "/feed.json").write(try JSON.encoder.encode(feed))
        try PrivateFile(path: path + "/demo.json").write(try JSON.encoder.encode(demo))
    }

    /// - Throws: `Refusal` unless setup has written both.
    func existing() throws -> (demo: DemoFile, feed: FeedFile) {
        guard let demo = try demo(), let feed = try feed() else {
            throw Refusal(.settings, "no demo.json and feed.json in \(path): run pulsegate demo setup")
        }
        return (demo, feed)
    }

    /// A file that can't be understood counts as none: setup writes a new one.
    private func read<Content: Decodable>(_ name: String) throws -> Content? {
        guard let data = try PrivateFile(path: path + "/" + name).read() else { return nil }
        return try? JSONDecoder().decode(Content.self, from: data)
    }
}
