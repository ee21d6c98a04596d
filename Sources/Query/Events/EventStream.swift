import Foundation
import Hummingbird
import NIOCore
import Postgres
import Shared

/// One who listens: server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), from some place on, each once
/// and in order.
struct EventStream: Sendable {
    private static let pageSize = 200

    let database: Database
    let streams: EventStreams
    let scope: TenantScope
    let filter: Event.Filter
    /// The place of the last event that the listener has.
    let start: Int64
    /// Else it ends with the last event there is.
    let follows: Bool
    /// Whether the listener may go on listening.
    let isWelcome: @Sendable () async -> Bool

    /// Ends when the listener is gone or no longer welcome, or the process stops.
    func write(to writer: inout any ResponseBodyWriter) async throws {
        var position = start
        let clock = ContinuousClock()
        var (spoke, asked) = (clock.now, clock.now)
        try await writer.write(ByteBuffer(string: "retry: 2000\n\n"))
        while true {
            let reached = try await streams.reached(scope.tenantID)
            while position < reached {
                let events = try await database.read(
                    scope, Event.next(filter, after: position, upTo: reached, limit: Self.pageSize, in: scope))
                if !events.isEmpty { try await writer.write(Self.text(of: events)) }
                position = events.count == Self.pageSize ? events[events.count - 1].position : reached
                spoke = clock.now
            }
            guard follows, !streams.isStopping else { return }
            if clock.now - asked >= streams.limits.trust {
                guard await isWelcome() else { return }
                asked = clock.now
            }
            if clock.now - spoke >= streams.limits.silence {
                try await writer.write(ByteBuffer(string: ": still here\n\n"))
                spoke = clock.now
            }
            try await Task.sleep(for: streams.limits.interval)
        }
    }

    /// JSON as we write it has no line breaks, which would end the field.
    private static func text(of events: [Event]) -> ByteBuffer {
        var json = JSONWriter()
        for event in events {
            json.raw("id: \(event.id.lowercaseString)\nevent: \(event.type)\ndata: ")
            event.write(to: &json)
            json.raw("\n\n")
        }
        return json.buffer
    }
}
