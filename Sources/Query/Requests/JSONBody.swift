import Foundation
import Hummingbird
import Postgres
import NIOCore
import Shared

/// A JSON object that a client sent, read field by field. Faults are collected, so that one answer names them all.
struct JSONBody {
    static let maxBytes = 64 * 1024

    /// The JSON text of each member that was not read yet.
    var fields: [String: ArraySlice<UInt8>]
    var faults: [Problem.FieldError] = []
    /// Of the objects that this one stands in: `user.`.
    let path: String

    /// - Parameter mayBeEmpty: no body is as good as an empty object.
    /// - Throws: `Problem` 413 past `maxBytes`, 415 for another type, 400 for what isn't a JSON object.
    init(_ request: Request, _ context: some RequestContext, mayBeEmpty: Bool = false) async throws {
        if let type = request.headers[.contentType], !Self.isJSON(type) {
            throw Problem.unsupportedMediaType(detail: "The body must be application/json.")
        }
        let bytes = try await request.decodedBody(limit: Self.maxBytes, context: context)
        let isNone = mayBeEmpty && bytes.readableBytes == 0
        guard let members = isNone ? [:] : StrictJSON.members(of: Array(bytes.readableBytesView)) else {
            throw Problem.badRequest(code: "malformed_json", detail: "The body is not a JSON object.")
        }
        fields = members
        path = ""
        fields["tenant_id"] = nil // accepted everywhere, and never believed
    }

    init(_ members: [String: ArraySlice<UInt8>], at path: String) {
        (fields, self.path) = (members, path)
    }

    mutating func text(_ name: String) -> String? {
        guard let value = take(name) else { return nil }
        let text = decoded(String.self, value)
        if text == nil { refuse(name, "wrong_type", "Must be a string.") }
        guard text?.unicodeScalars.contains("\0") != true else {
            refuse(name, "invalid_character", "Must hold no NUL.") // PostgreSQL keeps none
            return nil
        }
        return text
    }

    /// What a client may send back as it was answered, though it is not the client's to say.
    mutating func skip(_ names: String...) {
        for name in names { fields[name] = nil }
    }

    /// Whether the field was sent, be it as null.
    func has(_ name: String) -> Bool { fields[name] != nil }

    mutating func texts(_ name: String) -> [String]? {
        guard let value = take(name) else { return nil }
        let texts = decoded([String].self, value)
        if texts == nil { refuse(name, "wrong_type", "Must be a list of strings.") }
        return texts
    }

    mutating func ids(_ name: String) -> [UUID]? {
        guard let texts = texts(name) else { return nil }
        for (index, text) in texts.enumerated() where UUID(uuidString: text) == nil {
            refuse("\(name)[\(index)]", "invalid_id", "Must be an id.")
        }
        return texts.compactMap(UUID.init(uuidString:))
    }

    mutating func boolean(_ name: String) -> Bool? {
        guard let value = take(name) else { return nil }
        let boolean = decoded(Bool.self, value)
        if boolean == nil { refuse(name, "wrong_type", "Must be true or false.") }
        return boolean
    }

    /// Seconds that what is replaced still counts: a day, and a year at most.
    mutating func overlap(_ name: String = "overlap_seconds") -> Int {
        integer(name, in: 0...31_536_000) ?? 86_400
    }

    mutating func number(_ name: String, in range: ClosedRange<Double>) -> Double? {
        guard let value = take(name) else { return nil }
        guard let number = decoded(Double.self, value) else {
            refuse(name, "wrong_type", "Must be a number.")
            return nil
        }
        if range.contains(number) { return number }
        refuse(name, "out_of_range", "Must be from \(range.lowerBound) to \(range.upperBound).")
        return nil
    }

    mutating func integer(_ name: String, in range: ClosedRange<Int>) -> Int? {
        guard let value = take(name) else { return nil }
        guard let number = decoded(Double.self, value) else {
            refuse(name, "wrong_type", "Must be a number.")
            return nil
        }
        if let integer = Int(exactly: number), range.contains(integer) { return integer }
        refuse(name, "out_of_range", "Must be a whole number from \(range.lowerBound) to \(range.upperBound).")
        return nil
    }

    /// RFC 3339 or epoch milliseconds.
    mutating func time(_ name: String) -> Timestamp? {
        guard let value = take(name) else { return nil }
        let time =
            decoded(String.self, value).map(Timestamp.init(rfc3339:))
            ?? decoded(Double.self, value).map(Timestamp.init(epochMilliseconds:)) ?? nil
        if time == nil { refuse(name, "invalid_time", "Must be RFC 3339 with an offset, or epoch milliseconds.") }
        return time
    }

    /// An object of any form, kept as it is written: no digit of its numbers is lost.
    mutating func object(_ name: String) -> JSONB? {
        guard let value = take(name) else { return nil }
        guard value.first == UInt8(ascii: "{") else {
            refuse(name, "wrong_type", "Must be an object.")
            return nil
        }
        guard !StrictJSON.hasHugeNumber(value) else {
            refuse(name, "number_out_of_range", "Numbers go up to 1e\(StrictJSON.maxExponent).")
            return nil
        }
        return JSONB(String(decoding: value, as: UTF8.self))
    }

    /// An object within this one; its faults are this one's.
    mutating func nested<Part>(_ name: String, _ read: (inout JSONBody) -> Part?) -> Part? {
        guard let value = take(name) else { return nil }
        guard let members = StrictJSON.members(of: Array(value)) else {
            refuse(name, "wrong_type", "Must be an object.")
            return nil
        }
        var inner = JSONBody(members, at: "\(path)\(name).")
        let part = read(&inner)
        inner.refuseTheRest()
        faults += inner.faults
        return part
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
        guard let text = text(name)?.trimmingCharacters(in: .whitespaces) else { return nil }
        guard DisplayName.isValid(text) else {
            refuse(name, "invalid_length", "Must have 1 to 200 characters, and none that controls.")
            return nil
        }
        return text
    }

    /// Case-folded, as addresses are kept.
    mutating func email(_ name: String = "email") -> String? {
        guard let text = text(name)?.lowercased() else { return nil }
        guard text.utf8.count <= 254, text.contains(/^[^@\s\p{Cc}]+@[^@\s\p{Cc}]+$/.matchingSemantics(.unicodeScalar))
        else {
            refuse(name, "invalid_email", "Must be an e-mail address.")
            return nil
        }
        return text
    }

    /// One that may be chosen.
    mutating func newPassword(_ name: String = "password") -> String? {
        guard let text = text(name) else { return nil }
        if let fault = PasswordPolicy.fault(of: text, field: name) {
            refuse(fault.field, fault.code, fault.detail)
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
        faults.append(Problem.FieldError(field: path + field, code: code, detail: detail))
    }

    /// To be called when every known field was read: what is left is unknown.
    ///
    /// - Throws: `Problem` 422.
    mutating func check() throws {
        refuseTheRest()
        guard faults.isEmpty else { throw Problem.unprocessable(faults) }
    }

    /// What is left is unknown.
    mutating func refuseTheRest() {
        for name in fields.keys.sorted() { refuse(name, "unknown_field", "There is no such field.") }
    }

    /// Nil for null too.
    mutating func take(_ name: String) -> ArraySlice<UInt8>? {
        guard let value = fields.removeValue(forKey: name) else { return nil }
        let text = value.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
        return text.first == UInt8(ascii: "n") ? nil : text
    }

    func decoded<Value: Decodable>(_ type: Value.Type, _ value: ArraySlice<UInt8>) -> Value? {
        try? JSONDecoder().decode(type, from: Data(value))
    }

    private static func isJSON(_ type: String) -> Bool {
        let essence = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        return essence == "application/json" || essence.hasSuffix("+json")
    }
}
