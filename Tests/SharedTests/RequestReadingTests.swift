import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Shared
import Testing

struct RequestReadingTests {
    private func request(_ uri: String, _ headers: HTTPFields = [:]) -> Request {
        Request(
            head: HTTPRequest(method: .get, scheme: "http", authority: "localhost", path: uri, headerFields: headers),
            body: RequestBody(buffer: ByteBuffer()))
    }

    @Test func bearerTokens() {
        #expect(request("/", [.authorization: "Bearer abc"]).bearerToken == "abc")
        #expect(request("/", [.authorization: "bEARER  abc"]).bearerToken == "abc")
        for other in ["", "Bearer", "Bearer ", "Basic abc", "Bearer a b", "Bearerabc"] {
            #expect(request("/", [.authorization: other]).bearerToken == nil, "\(other)")
        }
        var twice = HTTPFields()
        twice[values: .authorization] = ["Bearer a", "Bearer b"]
        #expect(request("/", twice).bearerToken == nil)
        #expect(request("/").bearerToken == nil)
    }

    @Test func limits() throws {
        let tenant = UUID.v7()
        #expect(try PageRequest<Int>(request("/sites"), tenant: tenant).limit == 50)
        #expect(try PageRequest<Int>(request("/sites?limit=1"), tenant: tenant).limit == 1)
        #expect(try PageRequest<Int>(request("/sites?limit=200"), tenant: tenant).fetchLimit == 201)
        for bad in ["0", "201", "-1", "+5", "x", "", "1.5", "99999999999999999999"] {
            let problem = try #require(throws: Problem.self) {
                try PageRequest<Int>(request("/sites?limit=\(bad)"), tenant: tenant)
            }
            #expect(problem.code == "invalid_limit")
        }
    }

    private func next(_ uri: String, tenant: UUID, rows: Int = 3) throws -> String? {
        let page = try PageRequest<Int>(request(uri), tenant: tenant)
        let from = page.after ?? 0
        return try page.page(Array(from + 1...from + rows), position: { $0 }, item: { $0 }).nextCursor
    }

    @Test func cursorsLeadThroughAList() throws {
        let tenant = UUID.v7()
        let cursor = try #require(try next("/sites?kind=store&limit=2", tenant: tenant))
        #expect(!cursor.contains { "+/= {".contains($0) })
        let second = try PageRequest<Int>(request("/sites?limit=2&cursor=\(cursor)&kind=store"), tenant: tenant)
        #expect(second.after == 2)
        let page = try second.page([3, 4], position: { $0 }, item: { "\($0)" })
        #expect(page.data == ["3", "4"])
        let json = String(decoding: try JSONCoding.encoder.encode(page), as: UTF8.self)
        #expect(json == #"{"data":["3","4"],"next_cursor":null}"#)
        #expect(try PageRequest<Int>(request("/sites?limit=9&cursor=\(cursor)&kind=store"), tenant: tenant).after == 2)
    }

    @Test func foreignCursorsAreRefused() throws {
        let tenant = UUID.v7()
        let cursor = try #require(try next("/sites?kind=store&limit=2", tenant: tenant))
        func refuse(_ uri: String, _ tenant: UUID) throws {
            let problem = try #require(throws: Problem.self, "\(uri)") {
                try PageRequest<Int>(request(uri), tenant: tenant)
            }
            #expect(problem.code == "invalid_cursor")
            #expect(problem.status == .badRequest)
        }
        try refuse("/sites?kind=store&cursor=\(cursor)", UUID.v7())
        try refuse("/spaces?kind=store&cursor=\(cursor)", tenant)
        try refuse("/sites?kind=office&cursor=\(cursor)", tenant)
        try refuse("/sites?cursor=\(cursor)", tenant)
        try refuse("/sites?kind=store&q=x&cursor=\(cursor)", tenant)
        for garbage in ["", "x", "AAAA", "%00", String(repeating: "A", count: 5_000), cursor.dropLast() + "!"] {
            try refuse("/sites?kind=store&cursor=\(garbage)", tenant)
        }
        for index in cursor.indices {
            var changed = cursor
            changed.replaceSubrange(index...index, with: cursor[index] == "A" ? "B" : "A")
            if index < cursor.index(before: cursor.endIndex) { // its last character may hold unused bits
                try refuse("/sites?kind=store&cursor=\(changed)", tenant)
            }
        }
        let other = try Cursor.encode("text", in: ListScope(tenant: tenant, path: "/sites", filters: []))
        try refuse("/sites?cursor=\(other)", tenant)
    }

    @Test func idsLeaveInLowercase() throws {
        struct View: Encodable {
            let id: UUID
            let site_id: UUID?
            let other_id: UUID?
            let site_ids: [UUID]
        }
        let id = try #require(UUID(uuidString: "ABCDEF00-0000-7000-8000-00000000000A"))
        let view = View(id: id, site_id: id, other_id: nil, site_ids: [id])
        let json = String(decoding: try JSONCoding.encoder.encode(view), as: UTF8.self)
        let text = "\"abcdef00-0000-7000-8000-00000000000a\""
        #expect(json == #"{"id":\#(text),"site_id":\#(text),"site_ids":[\#(text)]}"#)
    }
}
