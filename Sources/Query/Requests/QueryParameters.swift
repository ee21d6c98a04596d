import Foundation
import Hummingbird
import Postgres
import Shared

/// The parameters after `?`. Readers note what they can't read; ``check()`` then refuses the request with every fault.
struct QueryParameters {
    private let values: [(name: String, value: String)]
    private(set) var faults: [Problem.FieldError] = []

    init(_ request: Request) {
        values = request.uri.queryParameters.map { (String($0.key), String($0.value)) }
    }

    init(_ values: [(name: String, value: String)]) {
        self.values = values
    }

    mutating func refuse(_ field: String, _ code: String, _ detail: String) {
        faults.append(Problem.FieldError(field: field, code: code, detail: detail))
    }

    /// - Throws: `Problem` 422 with a fault for each parameter that couldn't be read.
    func check() throws {
        // PostgreSQL keeps no NUL, so nothing is named like that.
        let unkept = values.first { $0.value.unicodeScalars.contains("\0") }.map {
            Problem.FieldError(field: $0.name, code: "invalid_character", detail: "Must hold no NUL.")
        }
        let faults = faults + (unkept.map { [$0] } ?? [])
        guard faults.isEmpty else { throw Problem.unprocessable(faults) }
    }

    /// The last value, as later ones override earlier.
    func text(_ name: String) -> String? {
        values.last { $0.name == name && !$0.value.isEmpty }?.value
    }

    /// Every value of a parameter that may be repeated or hold several with commas between.
    func list(_ name: String) -> [String] {
        values.filter { $0.name == name }
            .flatMap { $0.value.split(separator: ",").map(String.init) }
    }

    /// Parameters such as `label.till=3`, by what follows the prefix.
    func all(withPrefix prefix: String) -> [(key: String, values: [String])] {
        let matching = values.filter { $0.name.hasPrefix(prefix) && $0.name.count > prefix.count }
        let byKey = Dictionary(grouping: matching) { String($0.name.dropFirst(prefix.count)) }
        return byKey.mapValues { $0.map(\.value) }.sorted { $0.key < $1.key }.map { (key: $0.key, values: $0.value) }
    }

    /// Things by id or code. `canonical` brings a code to the form in which it is kept.
    func references(_ name: String, canonical: (String) -> String? = { $0 }) -> References {
        References(list(name).map { UUID(uuidString: $0) == nil ? canonical($0) ?? $0 : $0 })
    }

    mutating func ids(_ name: String) -> [UUID] {
        list(name).compactMap { text in
            let id = UUID(uuidString: text)
            if id == nil { refuse(name, "invalid_id", "Must be an id.") }
            return id
        }
    }

    /// One or more of an enumeration's words.
    mutating func words<Word: RawRepresentable & CaseIterable>(_ name: String) -> [Word]
    where Word.RawValue == String {
        list(name).compactMap { text in
            let word = Word(rawValue: text)
            if word == nil {
                let known = Word.allCases.map(\.rawValue).joined(separator: ", ")
                refuse(name, "unknown_value", "Must be one of: \(known).")
            }
            return word
        }
    }

    /// RFC 3339 or epoch milliseconds.
    mutating func time(_ name: String) -> Timestamp? {
        guard let text = text(name) else { return nil }
        // A `+` that a client left unescaped may have become a space on the way.
        let time =
            Double(text).map(Timestamp.init(epochMilliseconds:))
            ?? Timestamp(rfc3339: String(text.map { $0 == " " ? "+" : $0 }))
        if time == nil {
            refuse(name, "invalid_time", "Must be RFC 3339 with an offset, or epoch milliseconds.")
        }
        return time
    }

    /// A half-open span by two parameters; an end that isn't given is open.
    mutating func openSpan(_ first: String, _ second: String) -> Range<Timestamp> {
        let from = time(first) ?? Timestamp.rfc3339Range.lowerBound
        let to = time(second) ?? Timestamp.rfc3339Range.upperBound
        if from >= to { refuse(first, "empty_span", "Must be before \(second).") }
        return from..<max(from, to)
    }

    /// A half-open span by two parameters, of which neither may be missing alone.
    ///
    /// - Parameter longest: seconds.
    mutating func span(_ first: String, _ second: String, longest: Int64) -> Range<Timestamp>? {
        let (from, to) = (time(first), time(second))
        if (text(first) == nil) != (text(second) == nil) {
            refuse(text(first) == nil ? first : second, "required", "Must be given with the other one.")
        }
        guard let from, let to else { return nil }
        return span(from, to, first, longest: longest)
    }

    /// - Parameter field: is at fault where the span is none or too long.
    mutating func span(_ from: Timestamp, _ to: Timestamp, _ field: String, longest: Int64) -> Range<Timestamp>? {
        guard from < to else {
            refuse(field, "empty_span", "Must be before the end.")
            return nil
        }
        guard to <= from.adding(seconds: longest) else {
            refuse(field, "too_long", "The span may have \(longest / 86_400) days at most.")
            return nil
        }
        return from..<to
    }

    /// False where it isn't given.
    mutating func flag(_ name: String) -> Bool {
        switch text(name) {
        case nil, "false": return false
        case "true": return true
        default:
            refuse(name, "unknown_value", "Must be true or false.")
            return false
        }
    }

    mutating func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
        guard let text = text(name) else { return nil }
        guard let value = Int(text), range.contains(value) else {
            refuse(name, "out_of_range", "Must be a whole number from \(range.lowerBound) to \(range.upperBound).")
            return nil
        }
        return value
    }
}
