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
    private static let patience = timeval(tv_sec: 0, tv_usec: 100_000)

    private let context: UnsafeMutablePointer<redisContext>
    private var scriptID = ""

    init(_ address: RedisAddress) throws {
        guard let context = redisConnectWithTimeout(address.host, address.port, Self.patience) else {
            throw Failure(description: "out of memory")
        }
        self.context = context
        guard context.pointee.err == 0 else { throw failure() } // deinit closes it
        redisSetTimeout(context, Self.patience)
        if let password = address.password {
            try expectOK(["AUTH"] + (address.user.map { [$0] } ?? []) + [password])
        }
        if address.database != 0 { try expectOK(["SELECT", String(address.database)]) }
        append(["SCRIPT", "LOAD", Self.script])
        scriptID = try reply { reply in
            guard reply.type == REDIS_REPLY_STRING else { throw Self.unexpected(reply) }
            return Self.text(reply)
        }
    }

    deinit {
        redisFree(context)
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
                guard reply.type == REDIS_REPLY_ARRAY, reply.elements == 2, let place = reply.element[0]?.pointee,
                    let wait = reply.element[1]?.pointee, place.type == REDIS_REPLY_INTEGER,
                    let seconds = Double(Self.text(wait)), (0...limits.count).contains(Int(place.integer))
                else { throw Self.unexpected(reply) }
                guard place.integer > 0 else { return .init(excess: nil) }
                return .init(excess: RateExcess(limit: limits[Int(place.integer) - 1], wait: seconds))
            }
        }
    }

    private func expectOK(_ command: [String]) throws {
        append(command)
        try reply { reply in
            guard reply.type == REDIS_REPLY_STATUS else { throw Self.unexpected(reply) }
        }
    }

    /// hiredis copies what it is given.
    private func append(_ words: [String]) {
        let texts = words.map { Array($0.utf8CString) }
        withExtendedLifetime(texts) {
            var pointers = texts.map { text in text.withUnsafeBufferPointer { $0.baseAddress } }
            let lengths = texts.map { $0.count - 1 }
            redisAppendCommandArgv(context, Int32(words.count), &pointers, lengths)
        }
    }

    private func reply<Value>(_ read: (redisReply) throws -> Value) throws -> Value {
        var answer: UnsafeMutableRawPointer?
        guard redisGetReply(context, &answer) == REDIS_OK, let answer else { throw failure() }
        defer { freeReplyObject(answer) }
        return try read(answer.assumingMemoryBound(to: redisReply.self).pointee)
    }

    private func failure() -> Failure {
        let text = withUnsafeBytes(of: &context.pointee.errstr) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        return Failure(description: text)
    }

    /// Errors of Redis name no password, other replies are not repeated.
    private static func unexpected(_ reply: redisReply) -> Failure {
        Failure(description: reply.type == REDIS_REPLY_ERROR ? text(reply) : "an unexpected reply")
    }

    private static func text(_ reply: redisReply) -> String {
        guard let bytes = reply.str else { return "" }
        return String(decoding: UnsafeRawBufferPointer(start: bytes, count: reply.len), as: UTF8.self)
    }
}

extension RateLimit.Holder {
    fileprivate var key: String {
        switch self {
        case .tenant(let id): "tenant:\(id.lowercaseString)"
        case .principal(let id): "principal:\(id.lowercaseString)"
        case .address(let address): "address:\(address)"
        }
    }
}
