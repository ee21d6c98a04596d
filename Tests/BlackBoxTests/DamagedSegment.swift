import Foundation
import Shared
import Support

/// A segment of the spool that a test damages, and which of its requests are whole still. It knows that from what it did to the bytes,
/// not from reading them.
struct DamagedSegment {
    struct Frame {
        /// Header and payload.
        var range: Range<Int>
        let sending: Sending
    }

    enum Damage: CaseIterable {
        case flipBits, truncate, empty, appendGarbage, insertGarbage, cutOut, scramble, renameMarker
    }

    struct NotWhole: Error {}

    private(set) var name: SpoolSegmentName
    private(set) var bytes: [UInt8]
    /// The whole ones, in order.
    private(set) var frames: [Frame]

    /// What ingest wrote.
    init(_ file: URL) throws {
        guard let name = SpoolSegmentName(file.lastPathComponent) else { throw NotWhole() }
        self.name = name
        let bytes = Array(try Data(contentsOf: file))
        self.bytes = bytes
        frames = try bytes.withUnsafeBytes { buffer in
            try SpoolFrameReader(buffer, marker: name.marker).map { part in
                guard case .record(let payload) = part else { throw NotWhole() }
                return Frame(
                    range: payload.lowerBound - SpoolFrames.headerBytes..<payload.upperBound,
                    sending: try Sending(of: SpoolRecord(decoding: buffer[payload])))
            }
        }
    }

    /// The same records under a marker of its own, as if they had been written there.
    private init(_ frames: some Sequence<Frame>, of other: DamagedSegment, number: UInt64, marker: UInt64) {
        name = SpoolSegmentName(number: number, marker: marker)
        (bytes, self.frames) = ([], [])
        for frame in frames {
            let start = bytes.count
            let payload = other.bytes[frame.range].dropFirst(SpoolFrames.headerBytes)
            SpoolFrames.append(Array(payload), marker: marker, to: &bytes)
            self.frames.append(Frame(range: start..<bytes.count, sending: frame.sending))
        }
    }

    /// As several, each with some of the records.
    func split(into count: Int, using random: inout SplitMix) -> [DamagedSegment] {
        guard count > 1 else { return [self] }
        let size = (frames.count + count - 1) / count
        return (0..<count).map { part in
            DamagedSegment(
                frames.dropFirst(part * size).prefix(size), of: self, number: name.number + UInt64(part),
                marker: .random(in: .min ... .max, using: &random))
        }
    }

    /// The same records once more.
    func copy(number: UInt64, using random: inout SplitMix) -> DamagedSegment {
        DamagedSegment(frames, of: self, number: number, marker: .random(in: .min ... .max, using: &random))
    }

    /// Bytes between the whole records: each stretch of them is one damaged part.
    var gaps: Int {
        var (count, end) = (0, 0)
        for frame in frames {
            if frame.range.lowerBound > end { count += 1 }
            end = frame.range.upperBound
        }
        return count + (bytes.count > end ? 1 : 0)
    }

    func write(to folder: URL) throws {
        try Data(bytes).write(to: folder.appendingPathComponent(name.fileName))
    }
}

extension DamagedSegment {
    mutating func damage(_ damage: Damage, using random: inout SplitMix) {
        let garbage = (0..<Int.random(in: 1...200, using: &random)).map { _ in
            UInt8.random(in: .min ... .max, using: &random)
        }
        switch damage {
        case .flipBits:
            let places = Set(
                (0..<Int.random(in: 1...3, using: &random)).compactMap { _ in
                    bytes.indices.randomElement(using: &random)
                })
            for place in places { overwrite(place..<place + 1) { $0 ^ 1 << Int.random(in: 0..<8, using: &random) } }
        case .truncate: replace(Int.random(in: 0...bytes.count, using: &random)..<bytes.count, with: [])
        case .empty: replace(0..<bytes.count, with: [])
        case .appendGarbage: replace(bytes.count..<bytes.count, with: garbage)
        case .insertGarbage:
            let place = Int.random(in: 0...bytes.count, using: &random)
            replace(place..<place, with: garbage)
        case .cutOut: replace(part(using: &random), with: [])
        case .scramble: overwrite(part(using: &random)) { $0 ^ .random(in: 1...255, using: &random) }
        case .renameMarker:
            name = SpoolSegmentName(
                number: name.number, marker: name.marker ^ 1 << Int.random(in: 0..<64, using: &random))
            frames = []
        }
    }

    private func part(using random: inout SplitMix) -> Range<Int> {
        let start = Int.random(in: 0...bytes.count, using: &random)
        return start..<min(bytes.count, start + .random(in: 1...3_000, using: &random))
    }

    /// What every byte of a range becomes is never what it was.
    private mutating func overwrite(_ range: Range<Int>, _ change: (UInt8) -> UInt8) {
        for place in range { bytes[place] = change(bytes[place]) }
        frames.removeAll { $0.range.overlaps(range) }
    }

    private mutating func replace(_ range: Range<Int>, with new: [UInt8]) {
        bytes.replaceSubrange(range, with: new)
        // An insertion hurts the record in whose middle it lies.
        frames.removeAll {
            $0.range.overlaps(range) || $0.range.lowerBound < range.lowerBound && $0.range.upperBound > range.upperBound
        }
        for index in frames.indices where frames[index].range.lowerBound >= range.upperBound {
            let moved = new.count - range.count
            frames[index].range = frames[index].range.lowerBound + moved..<frames[index].range.upperBound + moved
        }
    }
}

extension Sending {
    /// Numbers that a sender has to itself, so that a request tells whose it is.
    static let numbersOfASender = 1_000

    fileprivate init(of record: SpoolRecord) throws {
        let json = try JSONSerialization.jsonObject(with: Data(record.body)) as? [String: Any]
        let rows = json?["metrics"] as? [[String: Any]]
        let firstTime = (rows?.first?["ts"] as? Int64).map { Int($0 - Self.start) / Self.rows }
        guard let number = firstTime ?? json?["fcnt"] as? Int else { throw DamagedSegment.NotWhole() }
        self.init(sender: number % 10_000 / Self.numbersOfASender, number: number)
    }
}
