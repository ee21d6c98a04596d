import Foundation
import Hummingbird
import NIOCore
import Shared

/// A JSON object that a client sent, read field by field. Faults are collected, so that one answer names them all.
struct JSONBody {
    static let maxBytes = 64 * 1024

    private indirect enum Value: Decodable {
        case null
        case text(String)
        case other

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let text = try? container.decode(String.self) {
                self = .text(text)
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
        case .other?:
            refuse(name, "wrong_type", "Must be a string.")
            return nil
        }
    }

    mutating func requiredText(_ name: String) -> String {
        let known = faults.count
        if let text = text(name) { return text }
        if faults.count == known { refuse(name, "required", "Must be given.") }
        return ""
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
