import Foundation
import Postgres
import Support
import Testing

/// Another server takes over, and ingest finds it by itself: `…@first,second/…?target_session_attrs=read-write`.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct FailoverTests {
    private static let gateways = 4

    /// An ingest that knows both servers, under load while `body` runs. In the end what was acknowledged is there once.
    private func underLoad(
        _ body: @Sendable (Senders, _ primary: PrivatePostgres, _ standby: PrivatePostgres) async throws -> Void
    ) async throws {
        try await PrivatePostgres.withStandby { primary, standby in
            try await Installation.run(on: primary.host + "," + standby.host) { installation in
                let senders = try await Senders(Self.gateways, in: installation)
                let ingest = try await installation.startIngest()
                try await senders.introduce()
                try await senders.keepSending(from: 100) {
                    try await senders.untilAcknowledged(100)
                    try await body(senders, primary, standby)
                    try await senders.goesOnStoring()
                }
                try await installation.spoolIsEmpty()
                try await senders.ledger.check(installation)
                #expect(try await installation.ingestMetric("pulsegate_spool_damaged_total") == 0)
                try await senders.revokedKeyIsRefused()
                await ingest.killAndWait()
            }
        }
    }

    @Test func aStandbyTakesOverFromAKilledPrimary() async throws {
        try await underLoad { senders, primary, standby in
            try primary.kill()
            try await senders.untilAcknowledged(100)
            try await standby.promote()
            try await eventually("changes are listened to") {
                try await standby.rows(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pulsegate-ingest-changes'") == [1]
            }
        }
    }

    /// The old primary lives on and takes no more writes: whoever stays connected to it must notice.
    @Test func aStandbyTakesOverFromAPrimaryThatOnlyReads() async throws {
        try await underLoad { senders, primary, standby in
            try await primary.set("default_transaction_read_only", to: "on")
            try await senders.untilAcknowledged(100)
            try await standby.promote()
        }
    }

    /// No other server to go to: all is spooled, and stored when writes are allowed again.
    @Test func aServerThatOnlyReadsIsTakenForAway() async throws {
        try await PrivatePostgres.with { server in
            try await Installation.run(on: server.host) { installation in
                let senders = try await Senders(Self.gateways, in: installation)
                let ingest = try await installation.startIngest()
                try await senders.introduce()
                try await senders.keepSending(from: 100) {
                    try await server.set("default_transaction_read_only", to: "on")
                    try await eventually("what arrives is spooled") {
                        try await installation.ingestMetric("pulsegate_spool_records") ?? 0 > 100
                    }
                    try await server.set("default_transaction_read_only", to: "off")
                    try await senders.goesOnStoring()
                }
                try await installation.spoolIsEmpty()
                try await senders.ledger.check(installation)
                await ingest.killAndWait()
            }
        }
    }
}

extension Senders {
    fileprivate func revokedKeyIsRefused() async throws {
        try await installation.pulsegate(["key", "revoke", "--tenant", tenant.slug, "--store", "T01"])
        try await eventually("a revoked key is refused", within: .seconds(10)) {
            try await sendOther("test.other").status == 401
        }
    }
}
