import Foundation
import Postgres
import Support
import Testing

@testable import Shared

struct CursorFuzzTests {
    private struct Position: Codable, Equatable {
        let name: String
        let at: Timestamp
        let id: UUID
    }

    /// A cursor that was tampered with is none: what is taken stands for the position that was handed out.
    @Test func cursors() throws {
        let scope = ListScope(
            tenant: try #require(UUID(uuidString: "019a0000-0000-7000-8000-000000000001")), path: "/api/v1/sites",
            filters: [("kind", "store")])
        let positions = ["", "Café 😀", "a\u{0}b"].enumerated().map { index, name in
            Position(
                name: name, at: Timestamp(microseconds: Int64(index) * 1_795_168_800_123_456),
                id: UUID(uuid: (UInt8(index), 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)))
        }
        let corpus = try positions.map { try Cursor.encode($0, in: scope) }
        var fuzzer = Fuzzer(
            "cursor", corpus: corpus, mutations: .text(["A", "_", "-", "+", "/", "=="]), iterations: 2_000)
        try fuzzer.run { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            switch Result(catching: { () throws(Problem) in try Cursor.decode(text, in: scope, as: Position.self) }) {
            case .success(let position):
                try holds(positions.contains(position), "\(position) was never handed out")
                return true
            case .failure(let problem):
                try agree(problem.code, "invalid_cursor", "refusal")
                return false
            }
        }
        #expect(fuzzer.hasReached(3))
    }

    /// Who knows how the tag is made may sign anything: what then doesn't decode is refused, and nothing breaks.
    @Test func forgedPositions() throws {
        let scope = ListScope(
            tenant: UUID(uuid: (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)), path: "/", filters: [])
        let corpus = [#"{"at":"2026-11-20T10:00:00Z","id":"019A0000-0000-7000-8000-000000000001","name":"Caf\u00e9"}"#]
        var fuzzer = Fuzzer("forged cursor", corpus: corpus, mutations: .json, iterations: 1_000)
        try fuzzer.run { json in
            let cursor = Cursor.encode(json: json, in: scope)
            switch Result(catching: { () throws(Problem) in try Cursor.decode(cursor, in: scope, as: Position.self) }) {
            case .success(let position):
                let again = try Cursor.encode(position, in: scope)
                try agree(try Cursor.decode(again, in: scope, as: Position.self), position, "position written and read")
                return true
            case .failure(let problem):
                try agree(problem.code, "invalid_cursor", "refusal")
                return false
            }
        }
        #expect(fuzzer.hasReached(20))
    }

    @Test func base64URL() throws {
        let corpus = ["", "AA", "AAA", "AAAA", "_-8", "SGVsbG8", "c3RvcmU"]
        var fuzzer = Fuzzer("base64url", corpus: corpus, mutations: .text(["A", "_", "-", "+", "/", "="]))
        try fuzzer.run { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            let isForm = text.wholeMatch(of: /[A-Za-z0-9_-]*/) != nil && text.utf8.count % 4 != 1
            let read = Base64URL.decode(text)
            try agree(read != nil, isForm, "is base64url")
            guard let read else { return false }
            try agree(Base64URL.decode(Base64URL.encode(read)), read, "bytes written and read")
            try agree(read.count, text.utf8.count * 3 / 4, "bytes")
            return true
        }
        #expect(fuzzer.hasReached(100))
    }
}
