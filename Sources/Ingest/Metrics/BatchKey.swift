import Foundation

/// What tells a resent batch from a new one. It goes with the request through every retry and the spool.
struct BatchKey: Hashable, Sendable {
    let id: UUID
    /// Made at random: nothing in the request says whether it came before.
    let isFresh: Bool

    /// A request with a `batch_id`, or in which each row has its own time, is known by owner, `batch_id` and content;
    /// any other is taken for new.
    ///
    /// - Parameter content: the body's bytes, decompressed.
    static func make(
        owner: Int32, batchID: String?, everyRowHasOwnTime: Bool, content: UnsafeRawBufferPointer
    ) -> BatchKey {
        make(owner: owner, batchID: batchID, everyRowHasOwnTime: everyRowHasOwnTime) { $0.update(content) }
    }

    /// - Parameters:
    ///   - fresh: the key of a request that nothing in it makes known.
    ///   - content: puts what the request holds into the digest, whatever form tells one content from another.
    static func make(
        owner: Int32, batchID: String?, everyRowHasOwnTime: Bool, fresh: UUID = UUID(),
        content: (inout ContentDigest) -> Void
    ) -> BatchKey {
        guard batchID != nil || everyRowHasOwnTime else { return BatchKey(id: fresh, isFresh: true) }
        var digest = ContentDigest()
        digest.update(owner)
        // The length stands before the text, so that no batch_id can pass for the beginning of a content.
        let batchID = batchID.map { Array($0.utf8) }
        digest.update(Int64(batchID?.count ?? -1))
        digest.update(batchID ?? [])
        content(&digest)
        return BatchKey(id: digest.finish(), isFresh: false)
    }
}
