import CHiredis
import Foundation

/// A connection to Redis, through hiredis. Blocks, for a tenth of a second at most: belongs to one thread.
final class RedisClient {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Takes a token of each bucket, or none. Answers the place of the bucket that takes longest to have another (0: all had one), and how
    /// many seconds that is. Time is the server's own; a bucket is forgotten once it would be full.
    private static let script = """
        local t = redis.call('TIME')
        local now = t[1] + t[2] / 1000000
        local worst, wait, tokens = 0, 0, {}
        for i, key in ipairs(KEYS) do
            local rate, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
            local kept = redis.call('HMGET', key, 'tokens', 'at')
            tokens[i] = math.min(burst, (tonumber(kept[1]) or burst) + math.max(0, now - (tonumber(kept[2]) or now)) * rate)
            if tokens[i] < 1 and (1 - tokens[i]) / rate > wait then
                worst, wait = i, (1 - tokens[i]) / rate
            end
        end
        if worst == 0 then
            for i, key in ipairs(KEYS) do
                local rate, burst = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
                redis.call('HSET', key, 'tokens', tostring(tokens[i] - 1), 'at', string.format('%.6f', now))
                redis.call('PEXPIRE', key, math.ceil(burst / rate * 1000) + 1000)
            end
        end
        return {worst, tostring(wait)}
        """
    /// Milliseconds.
    private static let patience: Int32 = 100

    private let connection: OpaquePointer
    private var scriptID = ""

    init(_ address: RedisAddress) throws {
        guard let connection = redis_open(address.host, address.port, Self.patience) else {
            throw Failure(description: "out of memory")
        }
        self.connection = connection
        if let fault { throw fault } // deinit closes it
        if let password = address.password {
            try expectOK(["AUTH"] + (address.user.map { [$0] } ?? []) + [password])
        }
        if address.database != 0 { try expectOK(["SELECT", String(address.database)]) }
        append(["SCRIPT", "LOAD", Self.script])
        scriptID = try reply { reply in
            guard redis_reply_kind(reply) == redis_string else { throw Self.unexpected(reply) }
            return Self.text(reply)
        }
    }

    deinit {
        redis_close(connection)
    }

    /// All questions in one round trip.
    /// - Throws: ``Failure``; the connection is of no use then.
    func take(_ questions: [[RateLimit]], scope: String) throws -> [RedisBuckets.Verdict] {
        for limits in questions {
            let keys = limits.map { "pulsegate:rate:\(scope):\($0.holder.key)" }
            let rates = limits.flatMap { [String($0.rate), String($0.burst)] }
            append(["EVALSHA", scriptID, String(keys.count)] + keys + rates)
        }
        return try questions.map { limits in
            try reply { reply in
                guard let first = redis_reply_element(reply, 0), let second = redis_reply_element(reply, 1),
                    redis_reply_kind(first) == redis_integer, let seconds = Double(Self.text(second)),
                    let place = Int(exactly: redis_reply_integer(first)), (0...limits.count).contains(place)
                else { throw Self.unexpected(reply) }
                guard place > 0 else { return .init(excess: nil) }
                return .init(excess: RateExcess(limit: limits[place - 1], wait: seconds))
            }
        }
    }

    private func expectOK(_ command: [String]) throws {
        append(command)
        try reply { reply in
            guard redis_reply_kind(reply) == redis_status else { throw Self.unexpected(reply) }
        }
    }

    private func append(_ words: [String]) {
        let lengths = words.map(\.utf8.count)
        let starts = lengths.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
        words.joined().utf8.map { CChar(bitPattern: $0) }.withUnsafeBufferPointer { bytes in
            let pointers = starts.dropLast().map { start in bytes.baseAddress.map { $0 + start } }
            // Fails when memory is out; then there is no reply either.
            _ = redis_append(connection, Int32(words.count), pointers, lengths)
        }
    }

    private func reply<Value>(_ read: (OpaquePointer) throws -> Value) throws -> Value {
        guard let reply = redis_next_reply(connection) else {
            throw fault ?? Failure(description: "no reply")
        }
        defer { redis_free(reply) }
        return try read(reply)
    }

    private var fault: Failure? {
        redis_fault(connection).map { Failure(description: String(cString: $0)) }
    }

    /// Errors of Redis name no password, other replies are not repeated.
    private static func unexpected(_ reply: OpaquePointer) -> Failure {
        Failure(description: redis_reply_kind(reply) == redis_error ? text(reply) : "an unexpected reply")
    }

    private static func text(_ reply: OpaquePointer) -> String {
        var length = 0
        guard let bytes = redis_reply_text(reply, &length) else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: bytes, count: length), as: UTF8.self)
    }
}

extension RateLimit.Holder {
    fileprivate var key: String {
        switch self {
        case .tenant(let id): "tenant:\(id.lowercaseString)"
        case .letters(let id): "letters:\(id.lowercaseString)"
        case .mailbox(let hash): "mailbox:\(Base64URL.encode(hash))"
        case .principal(let id): "principal:\(id.lowercaseString)"
        case .address(let address): "address:\(address)"
        }
    }
}
