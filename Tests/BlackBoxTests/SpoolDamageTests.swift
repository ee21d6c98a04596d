import Foundation
import Shared
import Support
import Testing

/// Whatever becomes of the spool's files: ingest starts, every record whose bytes are untouched is stored once, and what is damaged is
/// counted and set aside.
@Suite(.serialized, .timeLimit(.minutes(60)))
struct SpoolDamageTests {
    private static let requests = 10

    @Test func damageCostsNoMoreThanItTouches() async throws {
        let rounds = FaultSettings.rounds(4)
        try await Senders.behindProxy { senders, proxy, ingest in
            var ingest = ingest
            for round in 1...rounds {
                try await senders.introduce(from: round * 10_000 + 9_000)
                let seed = FaultSettings.seed &+ UInt64(round)
                let sent = try await fillSpool(senders, proxy, round)
                await ingest.killAndWait()
                var random = SplitMix(state: seed)
                let damage = try SpoolDamage(senders.installation, using: &random)
                proxy.mend()
                ingest = try await senders.installation.startIngest(through: proxy)
                try await senders.installation.spoolIsEmpty()
                for sending in damage.survivors { senders.ledger.note(sending) }
                let comment = Comment(
                    rawValue: "round \(round), SOAK_SEED=\(FaultSettings.seed): \(damage.description)")
                #expect(damage.survivors.isSubset(of: sent), comment)
                try await senders.ledger.check(senders.installation, comment)
                let counted = try await senders.installation.ingestMetric("pulsegate_spool_damaged_total")
                #expect(counted == Double(damage.parts), comment)
                try damage.checkSetAside(comment)
                // Those that are lost were stored by nobody.
                for sending in sent.subtracting(damage.survivors) {
                    let answer = try await senders.send(sending, expecting: [200, 202])
                    let wasStored =
                        answer.json["stored"] as? Int == Sending.rows || answer.json["status"] as? String == "stored"
                    #expect(wasStored || answer.status == 202, comment)
                }
            }
            return ingest
        }
    }

    private func fillSpool(_ senders: Senders, _ proxy: StallingProxy, _ round: Int) async throws -> Set<Sending> {
        proxy.cut()
        return try await withThrowingTaskGroup(of: Set<Sending>.self) { group in
            for sender in 0..<senders.count {
                group.addTask {
                    var sent: Set<Sending> = []
                    for number in 0..<Self.requests {
                        let sending = Sending(
                            sender: sender, number: round * 10_000 + sender * Sending.numbersOfASender + number)
                        let answer = try await sending.send(senders.installation, senders.tenant)
                        #expect(answer.status == 202, "\(answer.text)")
                        sent.insert(sending)
                    }
                    return sent
                }
            }
            return try await group.reduce(into: []) { $0.formUnion($1) }
        }
    }
}

/// A spool whose files were damaged.
private struct SpoolDamage {
    private var segments: [DamagedSegment]
    /// Segments that can't be read at all; they stay where they are.
    private var unreadable: [DamagedSegment] = []
    private var done: [String] = []
    private let damagedFolder: URL

    /// Damages what lies in the spool.
    init(_ installation: Installation, using random: inout SplitMix) throws {
        damagedFolder = installation.spoolFolder.appendingPathComponent("damaged")
        segments = try installation.segments().flatMap { file in
            let whole = try DamagedSegment(file)
            try FileManager.default.removeItem(at: file)
            return whole.split(into: .random(in: 1...6, using: &random), using: &random)
        }
        for index in segments.indices {
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                guard let damage = DamagedSegment.Damage.allCases.randomElement(using: &random) else { continue }
                segments[index].damage(damage, using: &random)
                done.append("\(damage) of \(index)")
            }
        }
        copySome(using: &random)
        for segment in segments { try segment.write(to: installation.spoolFolder) }
        try hideSome(in: installation.spoolFolder, using: &random)
    }

    /// The same records in another segment, and the same bytes under another marker, which makes them nobody's.
    private mutating func copySome(using random: inout SplitMix) {
        for (index, segment) in segments.enumerated() where Int.random(in: 0..<4, using: &random) == 0 {
            var copy = segment.copy(number: 100 + UInt64(index), using: &random)
            if Bool.random(using: &random) {
                copy = segment
                copy.damage(.renameMarker, using: &random)
            }
            segments.append(copy)
            done.append("copy of \(index)")
        }
    }

    /// A folder where a file should be; and, unless we are root, whom nothing is forbidden, a file that may not be read.
    private mutating func hideSome(in folder: URL, using random: inout SplitMix) throws {
        guard let index = segments.indices.randomElement(using: &random), Bool.random(using: &random) else { return }
        let hidden = segments.remove(at: index)
        let file = folder.appendingPathComponent(hidden.name.fileName)
        unreadable.append(hidden)
        done.append("hidden \(index)")
        if geteuid() != 0, Bool.random(using: &random) {
            try FileManager.default.setAttributes([.posixPermissions: 0o000], ofItemAtPath: file.path)
        } else {
            try FileManager.default.removeItem(at: file)
            try FileManager.default.createDirectory(at: file, withIntermediateDirectories: false)
        }
    }

    var survivors: Set<Sending> { Set(segments.flatMap { $0.frames.map(\.sending) }) }
    var parts: Int { unreadable.count + segments.reduce(0) { $0 + $1.gaps } }
    var description: String { done.joined(separator: ", ") }

    /// What was damaged lies there for a person to look at, as it was found; then it is cleared away.
    func checkSetAside(_ comment: Comment) throws {
        let damaged = segments.filter { $0.gaps > 0 }
        let kept = try FileManager.default.contentsOfDirectory(atPath: damagedFolder.path)
        #expect(Set(kept) == Set(damaged.map(\.name.fileName)), comment)
        for segment in damaged {
            let file = damagedFolder.appendingPathComponent(segment.name.fileName)
            #expect(try Data(contentsOf: file) == Data(segment.bytes), comment)
            try FileManager.default.removeItem(at: file)
        }
        for segment in unreadable {
            try FileManager.default.removeItem(
                at: damagedFolder.deletingLastPathComponent().appendingPathComponent(segment.name.fileName))
        }
    }
}
