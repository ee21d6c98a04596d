import Foundation
import Postgres
import Testing

@testable import Shared

struct IdentifierTests {
    @Test func uuidsOfVersion7GrowAndTellTheirTime() throws {
        let before = UInt64(Timestamp.now().milliseconds)
        let ids = (0..<20_000).map { _ in UUID.v7().lowercaseString }
        #expect(ids == ids.sorted())
        #expect(Set(ids).count == ids.count)
        let first = try #require(ids.first)
        let milliseconds = try #require(UInt64(first.prefix(13).replacing("-", with: ""), radix: 16))
        #expect(milliseconds >= before)
        for id in ids.prefix(100) {
            let characters = Array(id)
            #expect(characters[14] == "7")
            #expect("89ab".contains(characters[19]))
        }
    }

    @Test func uuidClockOnlyMovesForward() {
        var clock = UUIDv7Clock()
        #expect(clock.tick(1_000, seed: 0xFFFF) == (1_000, 0x7FF))
        #expect(clock.tick(1_000, seed: 0) == (1_000, 0x800))
        #expect(clock.tick(400, seed: 0) == (1_000, 0x801), "the system's clock stepped back")
        for _ in 0x802...0xFFF { _ = clock.tick(1_000, seed: 0) }
        #expect(clock.tick(1_000, seed: 5) == (1_001, 5), "a full count borrows from the future")
        #expect(clock.tick(1_001, seed: 0) == (1_001, 6))
    }

    @Test func uuidsOfManyThreadsDiffer() async {
        let ids = await withTaskGroup(of: [UUID].self) { group in
            for _ in 0..<8 { group.addTask { (0..<2_000).map { _ in UUID.v7() } } }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(ids).count == 16_000)
    }

    @Test(arguments: [
        "70B3D57ED0000001", "70b3d57ed0000001", "70-B3-D5-7E-D0-00-00-01", "70:b3:d5:7e:d0:00:00:01",
        "70B3D57E-D0000001",
    ])
    func deviceEUIsAreRead(text: String) throws {
        let eui = try #require(DeviceEUI(text))
        #expect(eui.rawValue == "70b3d57ed0000001")
        #expect(eui.bits == 0x70B3_D57E_D000_0001)
        #expect("\(eui)" == eui.rawValue)
    }

    @Test(arguments: [
        "", "70B3D57ED000000", "70B3D57ED00000011", "70B3D57ED000000G", "70-B3:D5-7E-D0-00-00-01",
        "7-0B3D57ED0000001", "-70B3D57ED0000001", "70B3D57ED0000001-", "70--B3D57ED0000001", "70 B3D57ED0000001",
        "0x70B3D57ED00000", "７0B3D57ED0000001",
    ])
    func otherTextsAreNoDeviceEUIs(text: String) {
        #expect(DeviceEUI(text) == nil)
    }

    @Test func deviceEUIsTravelAsText() throws {
        let eui = try #require(DeviceEUI("00000000000000ff"))
        var bytes: [UInt8] = []
        eui.encode(into: &bytes)
        #expect(bytes == Array("00000000000000ff".utf8))
        #expect(try bytes.withUnsafeBytes { try DeviceEUI.decode($0, oid: String.oid) } == eui)
        #expect(throws: PostgresError.self) {
            try Array("x".utf8).withUnsafeBytes { try DeviceEUI.decode($0, oid: String.oid) }
        }
        #expect(try JSONDecoder().decode([DeviceEUI].self, from: try JSONEncoder().encode([eui])) == [eui])
    }

    @Test func slugsAndCodes() {
        for good in ["ab", "a1", "acme-2", "0-", String(repeating: "a", count: 49)] {
            #expect(Slug(good)?.rawValue == good)
        }
        for bad in ["", "a", "-a", "Acme", "a_b", "a b", "é1", "ab\n", String(repeating: "a", count: 50)] {
            #expect(Slug(bad) == nil, "\(bad)")
        }
        for good in ["T", "T01", "north-2", String(repeating: "Z", count: 32)] {
            #expect(Code(good)?.rawValue == good)
        }
        for bad in ["", "-T", "T_1", "T 1", "T\u{301}", String(repeating: "Z", count: 33)] {
            #expect(Code(bad) == nil, "\(bad)")
        }
    }

    @Test func base62UsesItsWholeAlphabet() {
        let text = Base62.random(20_000)
        #expect(text.utf8.count == 20_000)
        #expect(text.utf8.allSatisfy { $0.isBase62 })
        var counts: [UInt8: Int] = [:]
        for byte in text.utf8 { counts[byte, default: 0] += 1 }
        #expect(counts.count == 62)
        // 323 expected, standard deviation 18: ten of those away would be a bias.
        #expect(counts.values.allSatisfy { (143...503).contains($0) })
    }

    @Test func base64URLComesBack() {
        for count in 0..<40 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ 250) }
            let text = Base64URL.encode(bytes)
            #expect(!text.contains { "+/=".contains($0) })
            #expect(Base64URL.decode(text) == bytes)
        }
        for bad in ["A", "A=", "AA==", "A+AA", "A/AA", "A A", "Ä"] { #expect(Base64URL.decode(bad) == nil, "\(bad)") }
    }
}
