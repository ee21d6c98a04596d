import FoundationEssentials
import Glibc

/// Inputs without end for one parser, made by breaking good ones: first each good one and all its beginnings, then mutations
/// of these and of what the parser took before, from a seed, so that each run can be repeated.
///
/// ```swift
/// var fuzzer = Fuzzer("cursor", corpus: ["eyJ…"], mutations: .text)
/// try fuzzer.run { input in … }
/// #expect(fuzzer.hasReached(100))
/// ```
package struct Fuzzer {
    /// A property that does not hold, with all that is needed to see it again.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    private static let poolSize = 64
    private static let maxBytes = 1 << 16

    private let name: String
    private let settings = FuzzSettings()
    private let corpus: [[UInt8]]
    private let mutations: Mutations
    private let limit: Int
    private let deadline: ContinuousClock.Instant?
    private let folder: FuzzFolder
    private let current: Int32?
    private var random: SplitMix
    /// Inputs that were taken: mutations of these go further than those of the corpus.
    private var pool: [[UInt8]] = []
    private var prelude: [[UInt8]]
    private var input: [UInt8] = []
    /// How many inputs there were, and how many of them the parser took.
    private var count = 0
    private var accepted = 0

    /// - Parameters:
    ///   - name: in words; failing inputs are kept under it.
    ///   - corpus: good inputs.
    ///   - iterations: mutated inputs in the short form.
    package init(_ name: String, corpus: [String], mutations: Mutations, iterations: Int = 2_000) {
        self.init(name, bytes: corpus.map { Array($0.utf8) }, mutations: mutations, iterations: iterations)
    }

    package init(_ name: String, bytes corpus: [[UInt8]], mutations: Mutations, iterations: Int = 2_000) {
        self.name = name
        self.corpus = corpus
        self.mutations = mutations
        folder = FuzzFolder(name)
        random = SplitMix(state: settings.seed)
        deadline = settings.duration.map { ContinuousClock.now + $0 }
        if let path = settings.input {
            prelude = [FileManager.default.contents(atPath: path).map(Array.init) ?? []]
            limit = 0
        } else {
            prelude = corpus.flatMap { seed in (0..<seed.count).map { Array(seed[..<$0]) } + [seed] }.reversed()
            limit = prelude.count + iterations
        }
        current = deadline == nil ? nil : folder.openCurrent()
        if deadline != nil { print("fuzzing \(name): FUZZ_SEED=\(settings.seed)") }
    }

    /// Whether enough inputs were taken: a fuzzer whose mutations are all refused at once finds nothing. Said of the short form
    /// alone, whose inputs are known.
    package func hasReached(_ least: Int) -> Bool {
        deadline != nil || settings.input != nil || accepted >= least
    }

    /// Checks every input. `check` says whether the parser took it, and throws where a property does not hold.
    package mutating func run(_ check: (_ input: [UInt8]) throws -> Bool) throws {
        while let input = next() {
            do {
                note(accepted: try check(input))
            } catch {
                throw failure(error)
            }
        }
    }

    /// For checks that wait: the next input, whose fate `note` or `failure` has to be told.
    package mutating func next() -> [UInt8]? {
        guard let next = prelude.popLast() ?? mutated() else {
            if let current { folder.closeCurrent(current) }
            return nil
        }
        count += 1
        input = next
        if let current { leave(next, in: current) }
        return next
    }

    package mutating func note(accepted isAccepted: Bool) {
        guard isAccepted else { return }
        accepted += 1
        guard input.count <= Self.maxBytes / 4 else { return }
        if pool.count < Self.poolSize {
            pool.append(input)
        } else {
            pool[Int.random(in: 0..<pool.count, using: &random)] = input
        }
    }

    package func failure(_ error: any Error) -> Failure {
        let path = folder.keep(input, seed: settings.seed, number: count)
        let shown = String(decoding: input.prefix(400), as: UTF8.self).debugDescription
        return Failure(
            description: """
                \(name): \(error)
                input \(count) of FUZZ_SEED=\(settings.seed), \(input.count) bytes: \(shown)
                again with FUZZ_INPUT=\(path)
                """)
    }

    private mutating func mutated() -> [UInt8]? {
        guard settings.input == nil else { return nil }
        if let deadline {
            guard ContinuousClock.now < deadline else { return nil }
        } else if count >= limit {
            return nil
        }
        let isPooled = !pool.isEmpty && Int.random(in: 0..<4, using: &random) > 0
        var bytes = (isPooled ? pool.randomElement(using: &random) : corpus.randomElement(using: &random)) ?? []
        for _ in 0..<(1 << Int.random(in: 0...2, using: &random)) {
            let other = corpus.randomElement(using: &random) ?? []
            mutations.apply(to: &bytes, other: other, &random)
        }
        if bytes.count > Self.maxBytes { bytes.removeLast(bytes.count - Self.maxBytes) }
        return bytes
    }

    private func leave(_ input: [UInt8], in file: Int32) {
        _ = input.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
        _ = ftruncate(file, input.count)
    }
}

extension Fuzzer: CustomStringConvertible {
    package var description: String { "\(name): \(accepted) of \(count) inputs were taken" }
}

/// What a check throws where the parser is wrong.
package struct Violation: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Part of a check: `condition` must hold.
package func holds(_ condition: Bool, _ rule: @autoclosure () -> String) throws {
    if !condition { throw Violation(rule()) }
}

/// Part of a check: the parser must say what the model of it says.
package func agree<Value: Equatable>(_ parsed: Value, _ expected: Value, _ what: @autoclosure () -> String) throws {
    if parsed != expected { throw Violation("\(what()): \(parsed), where it should be \(expected)") }
}
