import FoundationEssentials
import Glibc

/// How long the fuzzers run and where they start: a fixed number of inputs from a fixed seed in `make test`, ten minutes from
/// a seed of their own in `make fuzz`.
///
/// - `FUZZ_SECONDS`: how long each runs.
/// - `FUZZ_SEED`: where it starts; a failure names it.
/// - `FUZZ_INPUT`: a file with the one input to check, such as a failure left behind.
struct FuzzSettings {
    static let fixedSeed: UInt64 = 2026

    let seed: UInt64
    let duration: Duration?
    let input: String?

    init() {
        func value(_ name: String) -> String? {
            getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        }
        duration = value("FUZZ_SECONDS").flatMap(Double.init).map { .seconds($0) }
        seed = value("FUZZ_SEED").flatMap { UInt64($0) } ?? (duration == nil ? Self.fixedSeed : .random(in: 1 ... .max))
        input = value("FUZZ_INPUT")
    }
}

/// `.local/fuzz`, where inputs are left that broke something.
struct FuzzFolder {
    private static let path = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent(".local/fuzz").path

    private let name: String

    init(_ name: String) {
        self.name = name.split { !$0.isLetter && !$0.isNumber }.joined(separator: "-")
    }

    /// - Returns: the file's path.
    func keep(_ input: [UInt8], seed: UInt64, number: Int) -> String {
        let path = "\(Self.path)/\(name)-\(seed)-\(number)"
        try? FileManager.default.createDirectory(atPath: Self.path, withIntermediateDirectories: true)
        _ = FileManager.default.createFile(atPath: path, contents: Data(input))
        return path
    }

    /// The input that is being checked: what is left of it when the process does not survive.
    func openCurrent() -> Int32 {
        try? FileManager.default.createDirectory(atPath: Self.path, withIntermediateDirectories: true)
        return open("\(Self.path)/\(name).current", O_CREAT | O_RDWR | O_TRUNC, 0o644)
    }

    func closeCurrent(_ descriptor: Int32) {
        close(descriptor)
        unlink("\(Self.path)/\(name).current")
    }
}
