import Foundation
import Postgres
import Shared

/// What several resources hold.
extension JSONBody {
    mutating func phone(_ name: String) -> String? {
        guard let text = text(name) else { return nil }
        if !text.contains(/^[+0-9][0-9 ().\/-]{1,31}$/) {
            refuse(name, "invalid_number", "Must be a telephone number.")
        }
        return text
    }

    /// What people write to each other: up to 2000 characters.
    mutating func note(_ name: String) -> String? {
        bounded(name, 0...2_000)
    }

    /// - Parameter length: in characters.
    mutating func bounded(_ name: String, _ length: ClosedRange<Int>) -> String? {
        guard let text = text(name) else { return nil }
        let count = text.unicodeScalars.count
        if count > length.upperBound { refuse(name, "too_long", "At most \(length.upperBound) characters.") }
        if count < length.lowerBound { refuse(name, "too_short", "At least \(length.lowerBound) characters.") }
        return text
    }

    /// The key that makes creating something twice creating it once: 1 to 200 characters.
    mutating func requestID(_ name: String) -> String? {
        guard let text = text(name) else { return nil }
        if !IdempotencyKey.isValid(text) { refuse(name, "invalid_key", "Must have 1 to 200 printable characters.") }
        return text
    }

    /// A string or a number, exact.
    mutating func decimal<Places>(
        _ name: String, from lowest: FixedDecimal<Places> = .zero
    ) -> FixedDecimal<Places>? {
        guard let value = take(name) else { return nil }
        let isNumber = value.first != UInt8(ascii: "\"")
        let written = isNumber ? String(decoding: value, as: UTF8.self) : decoded(String.self, value) ?? ""
        guard let decimal = FixedDecimal<Places>(written.trimmingCharacters(in: .whitespaces).lowercased()) else {
            refuse(name, "invalid_amount", "Must be a decimal number of 14 digits and \(Places.count) places at most.")
            return nil
        }
        if decimal >= lowest { return decimal }
        refuse(name, "out_of_range", "Must be at least \(lowest.shortText).")
        return nil
    }

    /// A list of objects, each read like a body of its own; its faults are this one's.
    mutating func list<Item>(
        _ name: String, count: ClosedRange<Int>, _ read: (inout JSONBody) -> Item?
    ) -> [Item]? {
        guard let value = take(name) else { return nil }
        guard let elements = StrictJSON.elements(of: Array(value)) else {
            refuse(name, "wrong_type", "Must be a list of objects.")
            return nil
        }
        guard count.contains(elements.count) else {
            refuse(name, "invalid_length", "Must have \(count.lowerBound) to \(count.upperBound) entries.")
            return nil
        }
        var items: [Item] = []
        for (index, element) in elements.enumerated() {
            guard let members = StrictJSON.members(of: Array(element)) else {
                refuse("\(name)[\(index)]", "wrong_type", "Must be an object.")
                continue
            }
            var inner = JSONBody(members, at: "\(path)\(name)[\(index)].")
            if let item = read(&inner) { items.append(item) }
            inner.refuseTheRest()
            faults += inner.faults
        }
        return items
    }

    /// A day, `2026-12-31`; of a time the day in UTC.
    mutating func day(_ name: String) -> String? {
        guard let text = text(name) else { return nil }
        if let day = Timestamp(rfc3339: text.count == 10 ? text + "T00:00:00Z" : text) {
            return String(day.rfc3339.prefix(10))
        }
        refuse(name, "invalid_date", "Must be a day, such as 2026-12-31.")
        return nil
    }
}
