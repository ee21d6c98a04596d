import Foundation

/// What a process took of the machine at one moment.
struct SoakFigures: Sendable {
    let process: Int32
    let at: ContinuousClock.Instant
    let residentBytes: Int
    let descriptors: Int
    let temporaryFiles: Int

    var text: String {
        "\(residentBytes >> 20) MiB, \(descriptors) descriptors, \(temporaryFiles) temporary files"
    }
}

/// What the last process of a soak took, once it had started: its early and its late third beside each other.
struct SoakTrend {
    /// What it may take more of late: the allocator's own ways, and connections that come and go, of which each to the database has three
    /// descriptors.
    private static let bytes = 24 << 20
    private static let descriptors = 45

    private let early: ArraySlice<SoakFigures>
    private let late: ArraySlice<SoakFigures>

    /// Nil for too few figures to say anything.
    init?(of figures: [SoakFigures]) {
        let last = figures.filter { $0.process == figures.last?.process }
        // Until caches and pools are filled.
        let settled = last.dropFirst(last.count / 4)
        let third = settled.count / 3
        guard third >= 3 else { return nil }
        (early, late) = (settled.prefix(third), settled.suffix(third))
    }

    var text: String {
        "\(Self.median(early, \.residentBytes) >> 20) to \(Self.median(late, \.residentBytes) >> 20) MiB, "
            + "\(Self.median(early, \.descriptors)) to \(Self.median(late, \.descriptors)) descriptors, "
            + "\(Self.median(early, \.temporaryFiles)) to \(Self.median(late, \.temporaryFiles)) temporary files"
    }

    var isFlat: Bool {
        growth(\.residentBytes) <= Self.bytes && growth(\.descriptors) <= Self.descriptors
            && growth(\.temporaryFiles) <= 0
    }

    private func growth(_ figure: KeyPath<SoakFigures, Int>) -> Int {
        Self.median(late, figure) - Self.median(early, figure)
    }

    private static func median(_ figures: ArraySlice<SoakFigures>, _ figure: KeyPath<SoakFigures, Int>) -> Int {
        figures.map { $0[keyPath: figure] }.sorted()[figures.count / 2]
    }
}
