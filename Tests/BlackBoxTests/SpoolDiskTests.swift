import Foundation
import Support
import Testing

/// The database is away and the spool's disk takes nothing: 503, and what was answered 202 before is stored all the same.
@Suite(.timeLimit(.minutes(5)))
struct SpoolDiskTests {
    private static let needsMount: Comment = "mounting a tmpfs takes root with CAP_SYS_ADMIN"

    @Test(.enabled(if: SmallDisk.canBeMounted, needsMount)) func aFullDiskIsSaidSoAndLosesNothing() async throws {
        try await SmallDisk.with(kibibytes: 192) { disk in
            try await Senders.behindProxy(settings: ["SPOOL_DIR": disk.path]) { senders, proxy, ingest in
                var ingest = ingest
                for round in 1...2 {
                    try await senders.introduce(from: round * 10_000)
                    proxy.cut()
                    let refused = try await senders.sendUntilRefused(from: round * 10_000 + 100)
                    let failures = try await senders.installation.ingestMetric("pulsegate_spool_write_failures_total")
                    #expect(failures ?? 0 > 0)
                    if round == 2 { await ingest.killAndWait() }
                    proxy.mend()
                    if round == 2 {
                        ingest = try await senders.installation.startIngest(through: proxy, ["SPOOL_DIR": disk.path])
                    }
                    try await senders.installation.spoolIsEmpty()
                    // The very same requests are welcome now.
                    for sending in refused { try await senders.send(sending, expecting: [200, 202]) }
                }
                #expect(try await senders.installation.ingestMetric("pulsegate_spool_damaged_total") == 0)
                return ingest
            }
        }
    }

    @Test(.enabled(if: SmallDisk.canBeMounted, needsMount)) func roomThatComesBackIsUsed() async throws {
        try await SmallDisk.with(kibibytes: 16 << 10) { disk in
            try await Senders.behindProxy(settings: ["SPOOL_DIR": disk.path]) { senders, proxy, ingest in
                proxy.cut()
                for round in 1...2 {
                    try disk.fill()
                    let refused = try await senders.sendUntilRefused(from: round * 10_000)
                    #expect(await senders.installation.ingestReadiness == 503)
                    try disk.empty()
                    #expect(await senders.installation.ingestReadiness == 200)
                    for sending in refused { try await senders.send(sending, expecting: [202]) }
                    try await senders.sendAll(round * 10_000 + 5_000..<round * 10_000 + 5_004, expecting: [202])
                }
                return ingest
            }
        }
    }

    @Test(.enabled(if: SmallDisk.canBeMounted, needsMount)) func aReadOnlyDiskIsSaidSo() async throws {
        try await SmallDisk.with(kibibytes: 512) { disk in
            try await Senders.behindProxy(settings: ["SPOOL_DIR": disk.path]) { senders, proxy, ingest in
                proxy.cut()
                try disk.makeReadOnly()
                let refused = try await senders.sendUntilRefused(from: 10_000)
                #expect(await senders.installation.ingestReadiness == 503)
                try disk.makeWritable()
                for sending in refused { try await senders.send(sending, expecting: [202]) }
                return ingest
            }
        }
    }

    @Test func aDirectoryThatIsGoneIsSaidSo() async throws {
        try await Senders.behindProxy { senders, proxy, ingest in
            let folder = senders.installation.spoolFolder
            let elsewhere = folder.appendingPathExtension("gone")
            proxy.cut()
            try FileManager.default.moveItem(at: folder, to: elsewhere)
            let refused = try await senders.sendUntilRefused(from: 10_000)
            #expect(await senders.installation.ingestReadiness == 503)
            try FileManager.default.moveItem(at: elsewhere, to: folder)
            for sending in refused { try await senders.send(sending, expecting: [202]) }
            return ingest
        }
    }

    /// No file may grow beyond 64 KiB, so that writes break off in the middle of a group: what was acknowledged before, in the same file,
    /// stays whole.
    @Test func aWriteThatBreaksOffCostsItsGroupAlone() async throws {
        // The log is a file too.
        let settings = ["LOG_LEVEL": "critical"]
        try await Senders.behindProxy(settings: settings, after: "trap '' XFSZ\nulimit -f 64") {
            senders, proxy, ingest in
            for round in 1...2 {
                proxy.cut()
                var refused: [Sending] = []
                for part in 0..<2 {
                    refused += try await senders.sendUntilRefused(from: round * 10_000 + part * 1_000)
                }
                #expect(try senders.installation.segments().count >= 2)
                proxy.mend()
                try await senders.installation.spoolIsEmpty()
                for sending in refused { try await senders.send(sending, expecting: [200, 202]) }
            }
            #expect(try await senders.installation.ingestMetric("pulsegate_spool_damaged_total") == 0)
            return ingest
        }
    }
}

extension Senders {
    /// All senders at once, each until it is told 503; returns what was refused.
    fileprivate func sendUntilRefused(from first: Int) async throws -> [Sending] {
        try await withThrowingTaskGroup(of: Sending.self) { group in
            for sender in 0..<count {
                group.addTask {
                    for number in first..<first + 2_000 {
                        let sending = Sending(sender: sender, number: number)
                        let answer = try await send(sending, expecting: [202, 503])
                        guard answer.status == 503 else { continue }
                        #expect(answer.header("Retry-After") != nil)
                        #expect(answer.json["code"] as? String == "spool_failed", "\(answer.text)")
                        return sending
                    }
                    throw NotInTime(description: "nothing was refused")
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }
}
