import Foundation
import Postgres
import Shared

extension String: JSONWritable {
    func write(to json: inout JSONWriter) { json.string(self) }
}

extension Bool: JSONWritable {
    func write(to json: inout JSONWriter) { json.raw(self ? "true" : "false") }
}

extension Int16: JSONWritable {
    func write(to json: inout JSONWriter) { json.raw(description) }
}

extension Int32: JSONWritable {
    func write(to json: inout JSONWriter) { json.raw(description) }
}

extension Int64: JSONWritable {
    func write(to json: inout JSONWriter) { json.raw(description) }
}

extension Int: JSONWritable {
    func write(to json: inout JSONWriter) { json.raw(description) }
}

extension Double: JSONWritable {
    func write(to json: inout JSONWriter) { json.number(self) }
}

extension UUID: JSONWritable {
    func write(to json: inout JSONWriter) { json.string(uuidString.lowercased()) }
}

extension Timestamp: JSONWritable {
    func write(to json: inout JSONWriter) { json.string(rfc3339) }
}

extension JSONB: JSONWritable {
    func write(to json: inout JSONWriter) { json.raw(text) }
}

extension Optional: JSONWritable where Wrapped: JSONWritable {
    func write(to json: inout JSONWriter) {
        if let self { self.write(to: &json) } else { json.raw("null") }
    }
}

extension Array: JSONWritable where Element: JSONWritable {
    func write(to json: inout JSONWriter) {
        json.array { array in
            for element in self { array.element(element) }
        }
    }
}
