import Foundation
import Hummingbird
import Postgres
import NIOCore
import Shared

/// A JSON object that a client sent, read field by field. Faults are collected, so that one answer names them all.
struct JSONBody {
    static let maxBytes = 64 * 1024

    private indirect enum Value: Decodable {
        case null
        case text(String)
        case number(Double)
        case list([Value])
        case other

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let text = try? container.decode(String.self) {
                self = .text(text)
            } else if (try? container.decode(Bool.self)) == nil, let number = try? container.decode(Double.self) {
                self = .number(number)
            } else if let list = try? container.decode([Value].self) {
                self = .list(list)
            } else {
                self = .other
            }
        }
    }

    private struct NotJSON: Error {}

    private var fields: [String: Value]
    private var faults: [Problem.FieldError] = []

    /// - Throws: `Problem` 413 past `maxBytes`, 415 for another type, 400 for what isn't a JSON object.
    init(_ request: Request, _ context: some RequestContext) async throws {
        if let type = request.headers[.contentType], !Self.isJSON(type) {
            throw Problem.unsupportedMediaType(detail: "The body must be application/json.")
        }
        let bytes = try await request.decodedBody(limit: Self.maxBytes, context: context)
        do {
            let bytes = Array(bytes.readableBytesView)
            guard StrictJSON.isValid(bytes) else { throw NotJSON() }
            fields = try JSONDecoder().decode([String: Value].self, from: Data(bytes))
        } catch {
            throw Problem.badRequest(code: "malformed_json", detail: "The body is not a JSON object.")
        }
        fields["tenant_id"] = nil // accepted everywhere, and never believed
    }

    mutating func text(_ name: String) -> String? {
        switch fields.removeValue(forKey: name) {
        case .text(let text)?: return text
        case .null?, nil: return nil
        default:
            refuse(name, "wrong_type", "Must be a string.")
            return nil
        }
    }

    /// Whether the field was sent, be it as null.
    func has(_ name: String) -> Bool { fields[name] != nil }

    mutating func texts(_ name: String) -> [String]? {
        switch fields.removeValue(forKey: name) {
        case .null?, nil: return nil
        case .list(let values)?:
            let texts = values.compactMap { if case .text(let text) = $0 { text } else { nil } }
            if texts.count == values.count { return texts }
        default: break
        }
        refuse(name, "wrong_type", "Must be a list of strings.")
        return nil
    }

    mutating func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
        switch fields.removeValue(forKey: name) {
        case .null?, nil: return nil
        case .number(let number)?:
            if let value = Int(exactly: number), range.contains(value) { return value }
            refuse(name, "out_of_range", "Must be a whole number from \(range.lowerBound) to \(range.upperBound).")
        default: refuse(name, "wrong_type", "Must be a number.")
        }
        return nil
    }

    /// RFC 3339 or epoch milliseconds.
    mutating func time(_ name: String) -> Timestamp? {
        let time: Timestamp?
        switch fields.removeValue(forKey: name) {
        case .null?, nil: return nil
        case .text(let text)?: time = Timestamp(rfc3339: text)
        case .number(let number)?: time = Timestamp(epochMilliseconds: number)
        default: time = nil
        }
        if time == nil { refuse(name, "invalid_time", "Must be RFC 3339 with an offset, or epoch milliseconds.") }
        return time
    }

    /// One of an enumeration's words.
    mutating func word<Word: RawRepresentable & CaseIterable>(_ name: String) -> Word? where Word.RawValue == String {
        guard let text = text(name) else { return nil }
        let word = Word(rawValue: text)
        if word == nil {
            refuse(name, "unknown_value", "Must be one of: \(Word.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        return word
    }

    mutating func id(_ name: String) -> UUID? {
        guard let text = text(name) else { return nil }
        let id = UUID(uuidString: text)
        if id == nil { refuse(name, "invalid_id", "Must be an id.") }
        return id
    }

    /// What people call something: 1 to 200 characters.
    mutating func name(_ name: String = "name") -> String? {
        guard let text = text(name) else { return nil }
        guard (1...200).contains(text.unicodeScalars.count), !text.unicodeScalars.contains("\0") else {
            refuse(name, "invalid_length", "Must have 1 to 200 characters.")
            return nil
        }
        return text
    }

    mutating func requiredText(_ name: String) -> String {
        required(name) { $0.text($1) } ?? ""
    }

    /// What `read` finds, which has to be there.
    mutating func required<Value>(_ name: String, _ read: (inout JSONBody, String) -> Value?) -> Value? {
        let known = faults.count
        let value = read(&self, name)
        if value == nil, faults.count == known { refuse(name, "required", "Must be given.") }
        return value
    }

    mutating func refuse(_ field: String, _ code: String, _ detail: String) {
        faults.append(Problem.FieldError(field: field, code: code, detail: detail))
    }

    /// To be called when every known field was read: what is left is unknown.
    ///
    /// - Throws: `Problem` 422.
    mutating func check() throws {
        for name in fields.keys.sorted() { refuse(name, "unknown_field", "There is no such field.") }
        guard faults.isEmpty else { throw Problem.unprocessable(faults) }
    }

    private static func isJSON(_ type: String) -> Bool {
        let essence = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        return essence == "application/json" || essence.hasSuffix("+json")
    }
}
