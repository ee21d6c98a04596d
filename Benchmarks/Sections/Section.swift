import ArgumentParser

/// The parts of the suite, each able to run alone.
enum Section: String, CaseIterable, ExpressibleByArgument {
    case batches = "a"
    case compacted = "b"
    case fastAPI = "c"
    case uplinks = "d"
    case resent = "e"
    case latency = "g"
    case size = "i"
    case reading = "j"
    case spooling = "k"
    case noisyTenant = "l"
    case overload = "m"
    case people = "n"
    case places = "o"
    case goods = "p"
    case filled = "f"
    /// Last, since it tells of the others.
    case memory = "h"

    var title: String {
        switch self {
        case .batches: "new batches, no compaction"
        case .compacted: "new batches, compaction keeping pace"
        case .fastAPI: "new batches, beside FastAPI"
        case .uplinks: "signed uplinks"
        case .resent: "resent batches"
        case .spooling: "spooled and drained"
        case .noisyTenant: "beside a noisy tenant"
        case .overload: "ten times too much"
        case .people: "people"
        case .places: "places"
        case .goods: "goods"
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
        case .fastAPI: try await batchesBesideFastAPI()
        case .uplinks: try await signedUplinks()
        case .resent: try await resentBatches()
        case .spooling: try await spooling()
        case .noisyTenant: try await besideANoisyTenant()
        case .overload: try await overload()
        case .people: try await people()
        case .places: try await places()
        case .goods: try await goods()
        case .filled: try await filledDatabase()
        case .latency: try await latencyBelowSaturation()
        case .memory:
            [Row(what: "ingest, most memory in the sections run so far", figure: Figure.mebibytes(memory.bytes))]
        case .size: try await bytesASample()
        case .reading: try await readingAMonth()
        }
    }
}
