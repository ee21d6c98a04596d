import Foundation

/// A disk of its own with little room, in memory; it takes the right to mount.
struct SmallDisk: Sendable {
    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    static let canBeMounted: Bool = {
        let place = NSTemporaryDirectory() + "pulsegate-disk-" + UUID().uuidString
        return (try? run("mkdir '\(place)'; mount -t tmpfs tmpfs '\(place)' && umount '\(place)' && rmdir '\(place)'"))
            != nil
    }()

    let path: String

    /// For the time of `body`.
    static func with<Value: Sendable>(
        kibibytes: Int, _ body: (SmallDisk) async throws -> Value
    ) async throws -> Value {
        let path = NSTemporaryDirectory() + "pulsegate-disk-" + UUID().uuidString
        try run("mkdir '\(path)' && mount -t tmpfs -o size=\(kibibytes)k tmpfs '\(path)'")
        let result: Result<Value, any Error>
        do {
            result = .success(try await body(SmallDisk(path: path)))
        } catch {
            result = .failure(error)
        }
        // Lazily: a process that still has a file open there is about to end.
        try run("umount --lazy '\(path)' && rmdir '\(path)'")
        return try result.get()
    }

    /// Takes what room there is.
    func fill() throws {
        _ = try? Self.run("dd if=/dev/zero of='\(path)/filler' bs=1k")
    }

    func empty() throws {
        try Self.run("rm '\(path)/filler'")
    }

    /// For those who open files from now on; what is open already stays so.
    func makeReadOnly() throws {
        try Self.run("mount --bind '\(path)' '\(path)' && mount -o remount,bind,ro '\(path)'")
    }

    func makeWritable() throws {
        try Self.run("umount '\(path)'")
    }

    private static func run(_ script: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", "PATH=$PATH:/usr/sbin:/sbin\n" + script]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failed(description: script) }
    }
}
