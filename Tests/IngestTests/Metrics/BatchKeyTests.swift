import Testing

@testable import Ingest

struct BatchKeyTests {
    private func key(
        _ content: String, owner: Int32 = 1, batchID: String? = nil, everyRowHasOwnTime: Bool = true
    ) -> BatchKey {
        Array(content.utf8).withUnsafeBytes {
            BatchKey.make(owner: owner, batchID: batchID, everyRowHasOwnTime: everyRowHasOwnTime, content: $0)
        }
    }

    @Test func aResendHasTheKeyOfTheFirst() {
        #expect(key("x") == key("x"))
        #expect(key("x", batchID: "b", everyRowHasOwnTime: false) == key("x", batchID: "b", everyRowHasOwnTime: false))
        #expect(!key("x").isFresh)
    }

    @Test func ownerBatchIDAndContentAllCount() {
        let keys = [
            key("x"), key("y"), key("x", owner: 2), key("x", batchID: "b"), key("x", batchID: "c"), key("bx"),
            key("x", batchID: ""), key("", batchID: "x"),
        ]
        #expect(Set(keys).count == keys.count)
    }

    @Test func withoutIdAndTimesABatchIsNew() {
        let first = key("x", everyRowHasOwnTime: false)
        #expect(first.isFresh)
        #expect(first != key("x", everyRowHasOwnTime: false))
    }

    @Test func contentMayBeGivenInParts() {
        let values = [1.5, 2]
        let parts = BatchKey.make(owner: 1, batchID: nil, everyRowHasOwnTime: true) { digest in
            digest.update([Int32(7)])
            digest.update(values)
        }
        var bytes = withUnsafeBytes(of: Int32(7)) { Array($0) }
        values.withUnsafeBytes { bytes.append(contentsOf: $0) }
        let whole = bytes.withUnsafeBytes {
            BatchKey.make(owner: 1, batchID: nil, everyRowHasOwnTime: true, content: $0)
        }
        #expect(parts == whole)
    }
}
