import Foundation
import Shared

/// What a client says of an endpoint.
struct WebhookEndpointFields: Sendable {
    private static let mostTypes = 100

    let url: String
    let eventTypes: [String]
    let isActive: Bool

    /// - Throws: `Problem` 422.
    init(_ body: inout JSONBody) throws {
        body.skip("id", "disabled_reason", "created_at", "updated_at")
        url = body.required("url") { $0.webhookURL($1)?.text } ?? ""
        eventTypes = body.eventTypes("event_types", most: Self.mostTypes)
        isActive = body.boolean("is_active") ?? true
        try body.check()
    }
}

extension JSONBody {
    mutating func webhookURL(_ name: String) -> WebhookURL? {
        guard let text = text(name) else { return nil }
        do {
            return try WebhookURL(text)
        } catch {
            refuse(name, error.code, error.detail)
            return nil
        }
    }

    /// Each once, in the order given.
    fileprivate mutating func eventTypes(_ name: String, most: Int) -> [String] {
        let types = texts(name) ?? []
        if types.count > most { refuse(name, "too_many", "May have \(most) at most; none stand for all.") }
        for (index, type) in types.enumerated() {
            let isWhole = type.utf8.count <= 100 && type.contains(/^[a-z][a-z_]*\.[a-z][a-z_]*$/)
            guard isWhole, EventTopic(of: type) != nil else {
                let topics = EventTopic.allCases.map(\.rawValue).joined(separator: ", ")
                refuse(
                    "\(name)[\(index)]", "unknown_event_type",
                    "Must be such as vale.created, and begin with one of: \(topics).")
                continue
            }
        }
        var seen: Set<String> = []
        return types.filter { seen.insert($0).inserted }
    }
}
