import Foundation
import Postgres
import Shared

/// What a client says of a space.
struct SpaceFields: Sendable {
    let siteID: UUID
    let code: String
    let name: String
    let kind: Space.Kind
    let floor: String?
    let capacity: Int32
    let isBookable: Bool
    let openingHours: JSONB?
    let metadata: JSONB

    /// - Throws: `Problem` 422.
    init(_ body: inout JSONBody) throws {
        body.skip("id", "state", "state_since", "device_eui", "created_at", "updated_at")
        siteID = body.required("site_id") { $0.id($1) } ?? UUID()
        code = body.required("code") { $0.code($1) } ?? ""
        name = body.required("name") { $0.name($1) } ?? ""
        kind = body.word("kind") ?? .room
        floor = body.name("floor")
        capacity = Int32(body.integer("capacity", in: 0...1_000_000) ?? 1)
        isBookable = body.boolean("is_bookable") ?? false
        openingHours = body.openingHours("opening_hours")
        metadata = body.object("metadata") ?? JSONB("{}")
        try body.check()
    }
}

extension JSONBody {
    /// `{"mon": [["08:00", "12:00"], ["13:00", "20:00"]], …}`: times of the site's zone, `24:00` for a day's end. The
    /// database holds the same (`are_opening_hours`); this says what is wrong.
    fileprivate mutating func openingHours(_ name: String) -> JSONB? {
        guard let json = object(name) else { return nil }
        guard let days = try? JSONDecoder().decode([String: [[String]]].self, from: Data(json.text.utf8)) else {
            refuse(name, "wrong_type", "Must hold a list of [from, until] for each day.")
            return nil
        }
        for (day, spans) in days.sorted(by: { $0.key < $1.key }) {
            guard Self.weekdays.contains(day) else {
                refuse("\(name).\(day)", "unknown_field", "Days are \(Self.weekdays.joined(separator: ", ")).")
                continue
            }
            if spans.count > 24 { refuse("\(name).\(day)", "too_many", "At most 24.") }
            for (index, span) in spans.enumerated() where !Self.isOpen(span) {
                refuse(
                    "\(name).\(day)[\(index)]", "invalid_span", "Must be two times HH:MM, the first before the second.")
            }
        }
        return json
    }

    private static let weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    private static func isOpen(_ span: [String]) -> Bool {
        guard span.count == 2, span[0].contains(/^([01][0-9]|2[0-3]):[0-5][0-9]$/) else { return false }
        return span[1].contains(/^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$/) && span[0] < span[1]
    }
}
