import ArgumentParser

/// The parts of the suite, each able to run alone.
enum Section: String, CaseIterable, ExpressibleByArgument {
    case batches = "a"
    case compacted = "b"
    case fastAPI = "c"
    case uplinks = "d"
    case resent = "e"
    case filled = "f"
    case latency = "g"
    case memory = "h"
    case size = "i"
    case reading = "j"

    var title: String {
        switch self {
        case .batches: "new batches, no compaction"
        case .compacted: "new batches, compaction keeping pace"
        case .fastAPI: "new batches, beside FastAPI"
        case .uplinks: "signed uplinks"
        case .resent: "resent batches"
        case .filled: "on a filled database"
        case .latency: "latency at 70 % of saturation"
        case .memory: "memory of ingest"
        case .size: "bytes a sample"
        case .reading: "reading a month"
        }
    }
}

extension Suite {
    func run(_ section: Section) async throws -> [Row] {
        switch section {
        case .batches: try await newBatches()
        case .compacted: try await compactedBatches()
        case .fastAPI: []
        case .uplinks: []
        case .resent: []
        case .filled: []
        case .latency: []
        case .memory: []
        case .size: []
        case .reading: []
        }
    }
}
