import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// Reading a body failed below HTTP: the connection broke or the framing was wrong. Nothing can be answered any more.
struct BrokenRequestBody: Error {
    let underlying: any Error
}

extension RequestBody {
    /// The whole body in one buffer.
    /// - Parameters:
    ///   - limit: bytes; reading stops as soon as more have come.
    ///   - lease: takes the buffer's memory from the process's budget as it grows; hold on to it until the request is answered.
    /// - Throws: `Problem` 413; 503 when the process holds too many bodies.
    package func collect(
        upToLimit limit: Int, lease: BodyBudget.Lease? = nil, context: some RequestContext
    ) async throws -> ByteBuffer {
        var chunks = makeAsyncIterator()
        var whole = try await chunks.nextChunk() ?? ByteBuffer()
        try lease?.take(whole.storageCapacity)
        while whole.readableBytes <= limit, var chunk = try await chunks.nextChunk() {
            let before = whole.storageCapacity
            whole.writeBuffer(&chunk)
            try lease?.take(whole.storageCapacity - before)
        }
        guard whole.readableBytes <= limit else {
            context.logger.debug("body too large", metadata: ["limit": .stringConvertible(limit)])
            throw Problem.payloadTooLarge(limit: limit)
        }
        return whole
    }
}

extension RequestBody.AsyncIterator {
    fileprivate mutating func nextChunk() async throws -> ByteBuffer? {
        do {
            return try await next()
        } catch let error as CancellationError {
            throw error
        } catch {
            throw BrokenRequestBody(underlying: error)
        }
    }
}

extension Request {
    /// The body, decompressed as `Content-Encoding` says.
    /// - Parameters:
    ///   - limit: bytes, for the body as sent and again for what it inflates to.
    ///   - lease: takes both from the process's budget; hold on to it until the request is answered.
    /// - Throws: `Problem` 413, 415 for an unknown encoding, 400 where the compressed data is damaged, 503 beyond the budget.
    package func decodedBody(
        limit: Int, lease: BodyBudget.Lease? = nil, context: some RequestContext
    ) async throws -> ByteBuffer {
        let encoding = try ContentEncoding(headers[values: .contentEncoding])
        if let length = headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw Problem.payloadTooLarge(limit: limit)
        }
        let body = try await body.collect(upToLimit: limit, lease: lease, context: context)
        let inflated = try inflate(body, encoding: encoding, limit: limit)
        if encoding != .identity { try lease?.take(inflated.readableBytes) }
        return inflated
    }

    /// The credentials of `Authorization: Bearer …` (RFC 6750 §2.1): nil without exactly one such header.
    package var bearerToken: String? {
        let values = headers[values: .authorization]
        guard values.count == 1, let value = values.first, let space = value.utf8.firstIndex(of: UInt8(ascii: " ")),
            value[..<space].lowercased() == "bearer"
        else { return nil }
        // By bytes: a space with a combining mark behind it is another character, and no space to Swift.
        let token = value.utf8[space...].drop { $0 == UInt8(ascii: " ") }
        guard !token.isEmpty, token.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        return String(Substring(token))
    }
}
