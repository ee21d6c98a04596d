import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Postgres
import Shared
import Support
import Testing

@testable import Query

@Suite struct OutboxTests {
    @Test func anEventReachesTheEndpointsThatWantIt() async throws {
        try await HookCatcher.run { catcher in
            try await OutboxBed.run { bed in
                try await bed.endpoint(of: bed.north, catcher.url("/all"))
                try await bed.endpoint(of: bed.north, catcher.url("/vales"), types: ["vale.created"])
                try await bed.endpoint(of: bed.north, catcher.url("/sites"), types: ["site.created"])
                try await bed.endpoint(of: bed.south, catcher.url("/south"))
                let event = try await bed.event(of: bed.north, data: #"{"number": 7, "price": 1.50}"#)
                #expect(try await bed.outbox().deliverDue(of: bed.north, at: .now()) == 2)
                #expect(Set(catcher.all().map(\.path)) == ["/all", "/vales"])
                let caught = try #require(catcher.all("/all").first)
                #expect(caught.header("webhook-id") == event.uuidString.lowercased())
                #expect(caught.header("user-agent") == "Pulsegate")
                #expect(caught.header("content-type") == "application/json")
                #expect(Set(caught.json.keys) == ["id", "type", "timestamp", "data"])
                #expect(caught.json["type"] as? String == "vale.created" && caught.body.contains("1.50"))
                #expect(try await bed.deliveries(of: bed.north) == ["delivered 1 204", "delivered 1 204"])
                #expect(try await bed.outbox().deliverDue(of: bed.north, at: .now().adding(seconds: 90_000)) == 0)
                let counted = #"pulsegate_webhook_deliveries_total{outcome="delivered"} 2"#
                #expect(bed.metrics.exposition().contains(counted))
            }
        }
    }

    /// One id, one body, another time and another signature.
    @Test func whatFailsIsSentAgainLater() async throws {
        try await HookCatcher.run(answering: { _, before in
            switch before {
            case 0: .of(.internalServerError, [:], "a secret of theirs")
            case 1: .of(.found, [.location: "/elsewhere"])
            case 2: .of(.tooManyRequests, [.retryAfter: "600"])
            default: .of(.ok)
            }
        }) { catcher in
            try await OutboxBed.run { bed in
                try await bed.endpoint(of: bed.north, catcher.url("/hook"))
                try await bed.event(of: bed.north)
                let outbox = bed.outbox()
                let start = Timestamp.now()
                for (late, outcome) in [
                    (0, "pending 1 500 status 500"), (4, "pending 1 500 status 500"), (6, "pending 2 302 status 302"),
                    (45, "pending 3 429 status 429"), (600, "pending 3 429 status 429"), (700, "delivered 4 200"),
                ] {
                    try await outbox.deliverDue(of: bed.north, at: start.adding(seconds: late))
                    #expect(try await bed.deliveries() == [outcome], "after \(late) s")
                }
                #expect(catcher.all().count == 4 && catcher.all("/elsewhere").isEmpty)
                #expect(Set(catcher.all().compactMap { $0.header("webhook-id") }).count == 1)
                #expect(Set(catcher.all().map(\.body)).count == 1)
                #expect(Set(catcher.all().compactMap { $0.header("webhook-timestamp") }).count == 4)
                #expect(bed.metrics.exposition().contains(#"pulsegate_webhook_deliveries_total{outcome="retried"} 3"#))
            }
        }
    }

    @Test func afterThreeDaysItIsGivenUp() async throws {
        try await HookCatcher.run(answering: { _, _ in .of(.badGateway) }) { catcher in
            try await OutboxBed.run { bed in
                try await bed.endpoint(of: bed.north, catcher.url("/hook"))
                try await bed.event(of: bed.north)
                let outbox = bed.outbox()
                var now = Timestamp.now()
                for _ in 0..<20 {
                    try await outbox.deliverDue(of: bed.north, at: now)
                    now = now.adding(seconds: 50_000)
                }
                let delivery = try #require(try await bed.deliveries().first)
                #expect(delivery.hasPrefix("dead") && delivery.hasSuffix("502 status 502"))
                #expect(catcher.all().count == 6)
                #expect(bed.metrics.exposition().contains(#"pulsegate_webhook_deliveries_total{outcome="dead"} 1"#))
            }
        }
    }

    @Test func whoIsGoneIsSwitchedOff() async throws {
        try await HookCatcher.run(answering: { _, _ in .of(.gone) }) { catcher in
            try await OutboxBed.run { bed in
                try await bed.endpoint(of: bed.north, catcher.url("/hook"))
                for _ in 0..<6 { try await bed.event(of: bed.north) }
                try await bed.outbox().deliverDue(of: bed.north, at: .now())
                #expect(catcher.all().count == 4)
                let gone = Array(repeating: "dead 1 410 410 Gone", count: 4)
                let off = Array(repeating: "pending 1 endpoint is switched off", count: 2)
                #expect(try await bed.deliveries().sorted() == gone + off)
                let states: [String] = try await bed.migrated.asSuperuser {
                    try await $0.all("SELECT is_active || ' ' || disabled_reason FROM webhook_endpoints")
                }
                #expect(states == ["false 410 Gone"])
                let audited: [String] = try await bed.migrated.asSuperuser {
                    try await $0.all("SELECT actor_name FROM audit_logs WHERE action = 'webhook_endpoint.changed'")
                }
                #expect(audited == ["webhooks"])
            }
        }
    }

    /// Nothing but the kind of failure is told.
    @Test func failuresBelowHTTPAreTriedAgain() async throws {
        let silent = Gate()
        try await HookCatcher.run(answering: { _, _ in
            await silent.pass()
            return .of(.ok)
        }) { catcher in
            defer { silent.open() }
            try await OutboxBed.run { bed in
                let closed = try FreePorts.take(1)[0]
                let cases = [
                    ("http://127.0.0.1:\(closed)/", "no connection"),
                    ("https://127.0.0.1:\(catcher.port)/", "TLS failed"),
                    ("http://10.9.8.7/", "the address is refused"),
                    ("http://localhost.localdomain.invalid/", "the name has no address"),
                    (catcher.url("/slow"), "time-out"),
                ]
                for (url, _) in cases { try await bed.endpoint(of: bed.north, url) }
                try await bed.event(of: bed.north)
                try await bed.outbox(timeLimit: .seconds(2)).deliverDue(of: bed.north, at: .now())
                silent.open()
                #expect(try await bed.deliveries().sorted() == cases.map { "pending 1 \($0.1)" }.sorted())
            }
        }
    }

    @Test func whatIsOffOrDeletedGetsNothing() async throws {
        try await HookCatcher.run { catcher in
            try await OutboxBed.run { bed in
                let (off, deleted) = (
                    try await bed.endpoint(of: bed.north, catcher.url("/off")),
                    try await bed.endpoint(of: bed.north, catcher.url("/deleted"))
                )
                try await bed.event(of: bed.north)
                try await bed.database.withTenant(bed.north) { _ = try await $0.first(Event.place) }
                try await bed.run("UPDATE webhook_endpoints SET is_active = false WHERE id = \(off)")
                try await bed.run("UPDATE webhook_endpoints SET deleted_at = now() WHERE id = \(deleted)")
                try await bed.outbox().deliverDue(of: bed.north, at: .now())
                #expect(catcher.all().isEmpty)
                let expected = ["dead 1 endpoint deleted", "pending 1 endpoint is switched off"]
                #expect(try await bed.deliveries().sorted() == expected)
            }
        }
    }

    /// Two processes at once, many times.
    @Test(.timeLimit(.minutes(1))) func eachIsSentOnceByWhomever() async throws {
        try await HookCatcher.run { catcher in
            try await OutboxBed.run { bed in
                for index in 0..<5 { try await bed.endpoint(of: bed.north, catcher.url("/\(index)")) }
                for _ in 0..<20 { try await bed.event(of: bed.north) }
                let boxes = (0..<3).map { _ in bed.outbox() }
                let now = Timestamp.now()
                while try await bed.deliveries().count(where: { $0.hasPrefix("delivered") }) < 100 {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for box in boxes {
                            group.addTask { try await box.deliverDue(of: bed.north, at: now.adding(seconds: 5)) }
                        }
                        try await group.waitForAll()
                    }
                }
                #expect(catcher.all().count == 100)
                #expect(Set(try await bed.deliveries()) == ["delivered 1 204"])
            }
        }
    }

    /// A process that dies after its claim says nothing more.
    @Test func whatADeadProcessClaimedComesBack() async throws {
        try await HookCatcher.run { catcher in
            try await OutboxBed.run { bed in
                try await bed.endpoint(of: bed.north, catcher.url("/hook"))
                try await bed.event(of: bed.north)
                try await bed.notification(of: bed.north, .email, to: "ana@example.com")
                let now = Timestamp.now().adding(seconds: 1)
                let claimed = try await bed.database.withTenant(bed.north) { tx in
                    _ = try await tx.first(Event.place)
                    _ = try await tx.all(
                        DueNotification.claim(4, by: .email, at: now, lease: Outbox.lease, in: tx.tenantID))
                    return try await tx.all(
                        DueDelivery.claim(4, at: now, lease: Outbox.lease, busy: [], in: tx.tenantID))
                }
                let lost = try #require(claimed.first)
                let mail = CaughtLetters()
                let outbox = bed.outbox(notifiers: [.email: mail])
                #expect(try await outbox.deliverDue(of: bed.north, at: now.adding(seconds: 59)) == 0)
                #expect(try await outbox.deliverDue(of: bed.north, at: now.adding(seconds: 61)) == 2)
                #expect(catcher.all().count == 1 && mail.letters.count == 1)
                #expect(try await bed.deliveries() == ["delivered 2 204"])
                // The dead one rises: its word counts no more.
                let late = lost.record(.failed("time-out"), .dead, at: now, in: bed.north.id)
                #expect(try await bed.database.withTenant(bed.north) { try await $0.run(late) } == 0)
            }
        }
    }

    /// More to a silent endpoint than may be on its way, and a tenant with three of them; others have theirs all the same.
    @Test(.timeLimit(.minutes(1))) func theSlowHoldNobodyUp() async throws {
        let silent = Gate()
        try await HookCatcher.run(answering: { path, _ in
            if path.hasPrefix("/slow") { await silent.pass() }
            return .of(.ok)
        }) { catcher in
            defer { silent.open() }
            try await OutboxBed.run { bed in
                for index in 0..<3 { try await bed.endpoint(of: bed.north, catcher.url("/slow\(index)")) }
                for _ in 0..<10 { try await bed.event(of: bed.north) }
                let outbox = bed.outbox()
                try await outbox.deliverDue(at: .now())
                try await bed.endpoint(of: bed.south, catcher.url("/south"))
                for _ in 0..<10 { try await bed.event(of: bed.south) }
                while catcher.all("/south").count < 10 { try await outbox.deliverDue(at: .now()) }
                #expect(catcher.all().count { $0.path.hasPrefix("/slow") } == SendingLanes.mostOfTenant)
                #expect((0..<3).allSatisfy { catcher.all("/slow\($0)").count <= SendingLanes.mostOfLane })
                #expect(try await bed.deliveries(of: bed.north).allSatisfy { $0.hasPrefix("pending") })
                silent.open()
                await outbox.settled()
                let delivered = try await bed.deliveries(of: bed.north).count { $0.hasPrefix("delivered") }
                #expect(delivered == SendingLanes.mostOfTenant)
                #expect(try await bed.deliveries(of: bed.south) == Array(repeating: "delivered 1 200", count: 10))
            }
        }
    }

    /// Within a tenant, too.
    @Test(.timeLimit(.minutes(1))) func aSlowEndpointHoldsNoOtherUp() async throws {
        let silent = Gate()
        try await HookCatcher.run(answering: { path, _ in
            if path == "/slow" { await silent.pass() }
            return .of(.ok)
        }) { catcher in
            defer { silent.open() }
            try await OutboxBed.run { bed in
                try await bed.endpoint(of: bed.north, catcher.url("/slow"))
                try await bed.endpoint(of: bed.north, catcher.url("/quick"))
                for _ in 0..<20 { try await bed.event(of: bed.north) }
                let outbox = bed.outbox()
                while catcher.all("/quick").count < 20 { try await outbox.deliverDue(at: .now()) }
                #expect(catcher.all("/slow").count <= SendingLanes.mostOfLane)
                silent.open()
                await outbox.settled()
            }
        }
    }

    /// Its head says it all.
    @Test func anAnswerWithoutEndIsNotReadToItsEnd() async throws {
        let endless = ResponseBody { writer in
            while !Task.isCancelled { try await writer.write(ByteBuffer(repeating: 120, count: 16 * 1024)) }
        }
        try await HookCatcher.run(answering: { _, _ in Response(status: .ok, body: endless) }) { catcher in
            try await OutboxBed.run { bed in
                try await bed.endpoint(of: bed.north, catcher.url("/hook"))
                try await bed.event(of: bed.north)
                try await bed.outbox().deliverDue(of: bed.north, at: .now())
                #expect(try await bed.deliveries() == ["delivered 1 200"])
            }
        }
    }

    /// A name that says something else the second time it is asked gets nowhere: it is asked once.
    @Test func theAddressThatWasCheckedIsConnectedTo() async throws {
        try await HookCatcher.run { catcher in
            try await OutboxBed.run { bed in
                let asked = Asked()
                try await bed.endpoint(of: bed.north, "http://hooks.test:\(catcher.port)/named")
                try await bed.event(of: bed.north)
                let outbox = bed.outbox(resolve: { asked.addresses(of: $0) })
                try await outbox.deliverDue(of: bed.north, at: .now())
                #expect(asked.names == ["hooks.test"])
                #expect(catcher.all("/named").count == 1)
                #expect(try await bed.deliveries() == ["delivered 1 204"])
                // The second time it points elsewhere, which is refused.
                try await bed.event(of: bed.north)
                try await outbox.deliverDue(of: bed.north, at: .now())
                #expect(try await bed.deliveries().last == "pending 1 the address is refused")
            }
        }
    }
}

/// A name server whose word changes.
private final class Asked: Sendable {
    private let log = MutexBox<[String]>([])

    var names: [String] { log.value }

    func addresses(of name: String) -> [String] {
        log.change { $0.append(name) }
        return log.value.count == 1 ? ["127.0.0.1"] : ["169.254.169.254"]
    }
}
